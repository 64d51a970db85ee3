package schema_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestReasons checks that each reason appears once although pgx tries an address twice, and that the server's own error
// stands alone.
func TestReasons(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(testserver.EmptyPostgres(t)) // which has no TLS
	if err != nil {
		t.Fatal(err)
	}
	server.Path, server.RawQuery = "/none", ""
	for name, c := range map[string]struct{ url, want string }{
		"refused": {"postgres://u:geheim@127.0.0.1:1/d",
			"connect to Postgres, database d, user u: 127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused"},
		"no host":     {"postgres://u:geheim@no..host/d", "connect to Postgres, database d, user u: lookup no..host: no such host"},
		"no database": {server.String(), `server error: FATAL: database "none" does not exist (SQLSTATE 3D000)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schema.Version(t.Context(), c.url+"?sslmode=prefer")
			if err == nil || !strings.HasSuffix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want %s", err, c.want)
			}
		})
	}
}
