package logging_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/logging"
)

func TestLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[string][]string{
		"":      {"INFO", "WARN", "ERROR"},
		"debug": {"DEBUG", "INFO", "WARN", "ERROR"},
		"warn":  {"WARN", "ERROR"},
		"error": {"ERROR"},
	} {
		var out bytes.Buffer
		log, err := logging.Open(logging.Config{Writer: &out, Level: level})
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("m")
		log.Info("m")
		log.Warn("m")
		log.Error("m")
		var got []string
		for line := range strings.Lines(out.String()) {
			var entry struct{ Level, Msg string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg != "m" {
				t.Fatalf("line %q: %v", line, err)
			}
			got = append(got, entry.Level)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("level %q writes %v, want %v", level, got, want)
		}
	}
}

func TestUnknownLevel(t *testing.T) {
	t.Parallel()
	_, err := logging.Open(logging.Config{Level: "loud"})
	if err == nil || !strings.Contains(err.Error(), `LOGGER_LEVEL is "loud"; allowed are debug, info, warn, error`) {
		t.Errorf("error %v", err)
	}
}
