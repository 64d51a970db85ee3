package httpapi_test

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/httpapi"
	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/store/sqlite"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// nowhere is a task.Queue without workers.
type nowhere struct{}

func (nowhere) Send(context.Context, ...task.Permit) error { return nil }

// ExampleNew serves a catalogue of one job over a store in a file.
func ExampleNew() {
	ctx := context.Background()
	path, remove, err := testserver.TemporarySQLite()
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	type payload struct {
		Text string `json:"text" jsonschema:"minLength=1"`
	}
	words := job.New("words", func(_ context.Context, _ job.Task, in payload) (int, error) {
		return len(strings.Fields(in.Text)), nil
	})
	quiet := slog.New(slog.DiscardHandler)
	api := httpapi.New(task.NewService(store, nowhere{}, quiet), httpapi.Options{
		Jobs: job.NewCatalogue(words), MaxAttempts: 10, MaxTimeout: 5 * time.Minute,
	}, quiet)

	// ask prints the API's answer to a request.
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(method, w.Code, cmp.Or(w.Header().Get("Content-Type"), "no body"))
		return w
	}
	status := ask(http.MethodPost, "/task", `{"type":"words","payload":{"text":"a b"}}`).Header().Get("Location")
	of := strings.TrimSuffix(status, "/status")
	ask(http.MethodGet, status, "")
	ask(http.MethodGet, of+"/result", "")
	ask(http.MethodDelete, of, "")
	ask(http.MethodGet, status, "")
	ask(http.MethodPost, "/task", `{"type":"words","payload":{"text":""}}`)
	ask(http.MethodGet, "/elsewhere", "")
	// Output:
	// POST 201 application/json
	// GET 200 application/json
	// GET 409 application/problem+json
	// DELETE 204 no body
	// GET 404 application/problem+json
	// POST 422 application/problem+json
	// GET 404 application/problem+json
}
