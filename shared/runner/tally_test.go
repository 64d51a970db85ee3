package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/runner"
	"github.com/eragon-mdi/ksu/shared/task"
)

func TestMessagesAreCounted(t *testing.T) {
	t.Parallel()
	claims := 0
	s := &store{claim: func() (int, error) {
		claims++
		switch claims {
		case 1:
			return 1, nil
		case 2, 3:
			return 0, fmt.Errorf("claim: %w", task.ErrNotClaimable)
		}
		return 0, errors.New("disk full")
	}}
	var event events.SQSEvent
	for _, body := range []string{message(), "?", message(), message(), message()} {
		event.Records = append(event.Records, events.SQSMessage{Body: body})
	}
	var out bytes.Buffer
	if _, err := runner.New(s, work(done).job(), slog.New(slog.NewJSONHandler(&out, nil)), runner.Config{}).Handle(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	var line struct {
		Msg                                  string
		Ran, Duplicates, Malformed, Returned int
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil || line.Msg != "messages handled" ||
		line.Ran != 1 || line.Duplicates != 2 || line.Malformed != 1 || line.Returned != 1 {
		t.Errorf("the last line counts %+v, %v; want 1 run, 2 duplicates, 1 malformed, 1 returned:\n%s", line, err, &out)
	}
}
