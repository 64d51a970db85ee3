package sweeper_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/sweeper"
	"github.com/eragon-mdi/ksu/shared/task"
)

// line is a log line about a task.
type line struct {
	Level, Msg string
	Task       string `json:"task_id"`
	Attempt    int
	Error      []string
}

// TestRescuedTasksHaveLines checks that a sweeper logs its steps under the task's id, in a worker's words.
func TestRescuedTasksHaveLines(t *testing.T) {
	t.Parallel()
	other := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8058")
	stopped := []string{"the worker stopped during the attempt"}
	for name, c := range map[string]struct {
		store store
		want  []line
	}{
		"rescued": {
			store{rescued: []task.Rescued{{ID: id, Attempt: 2}, {ID: other, Attempt: 3, Failed: true}}}, []line{
				{"WARN", "task requeued", id.String(), 2, stopped},
				{"WARN", "task failed", other.String(), 3, stopped},
			},
		},
		"expired": {store{expired: []uuid.UUID{id}}, []line{{"WARN", "task failed", id.String(), 0, []string{task.Expired}}}},
	} {
		var out bytes.Buffer
		log, err := logging.Open(logging.Config{Writer: &out})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sweeper.New(&c.store, &sent{}, log.Logger, sweeper.Config{}).Handle(t.Context(), json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		var got []line
		for row := range strings.Lines(text) {
			var l line
			if err := json.Unmarshal([]byte(row), &l); err != nil {
				t.Fatalf("%s: %v", row, err)
			}
			if l.Task != "" {
				got = append(got, l)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: lines\n%s; want %+v", name, text, c.want)
		}
	}
}
