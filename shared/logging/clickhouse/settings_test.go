package clickhouse

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// TestSettingsByVersion checks the settings against the versions that introduced them: servers refuse unknown settings.
func TestSettingsByVersion(t *testing.T) {
	t.Parallel()
	const token, async = "insert_deduplication_token", "async_insert_busy_timeout_ms async_insert_deduplicate insert_deduplication_token"
	for _, c := range []struct {
		major, minor uint64
		want         string
		async        bool
	}{{18, 16, "", false}, {22, 1, "", false}, {22, 2, token, false}, {23, 9, token, false}, {23, 10, async, true}, {26, 1, async, true}} {
		set, isAsync := settings(&driver.ServerVersion{Version: proto.Version{Major: c.major, Minor: c.minor}}, "id")
		if got := strings.Join(slices.Sorted(maps.Keys(set)), " "); got != c.want || isAsync != c.async {
			t.Errorf("%d.%d has %q, async %v; want %q, %v", c.major, c.minor, got, isAsync, c.want, c.async)
		}
	}
}
