package httpapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/httpapi"
	"github.com/eragon-mdi/ksu/shared/task"
)

func invoke(t *testing.T, h http.Handler, e events.APIGatewayProxyRequest) events.APIGatewayProxyResponse {
	t.Helper()
	answer, err := httpapi.Lambda(h, slog.New(slog.DiscardHandler))(t.Context(), e)
	if err != nil {
		t.Fatalf("%s %s: the function failed: %v", e.HTTPMethod, e.Path, err)
	}
	return answer
}

func api(s *tasks) http.Handler { return httpapi.New(s, options, slog.New(slog.DiscardHandler)) }

func TestLambdaServesTheGatewaysEvent(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/status-event.json")
	if err != nil {
		t.Fatal(err)
	}
	var e events.APIGatewayProxyRequest
	if err := json.Unmarshal(golden, &e); err != nil {
		t.Fatal(err)
	}
	answer := invoke(t, api(&tasks{task: task.Task{ID: id, Status: task.Pending, CreatedAt: created}}), e)
	const want = `{"status":"created, but waiting to start","created_at":"2026-01-02T03:04:05.678900Z","duration":0}`
	if answer.StatusCode != 200 || answer.Body != want || answer.MultiValueHeaders["Content-Type"][0] != "application/json" {
		t.Errorf("answer %+v, want 200 %s", answer, want)
	}
}

// TestLambdaAnswersEveryPath sends paths that the adapter's own URL parser refuses.
func TestLambdaAnswersEveryPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/task/%zz/status":                 400,
		"/task/a b/status":                 400,
		"/task/%2e%2e/status":              404,
		"/task/a%2Fb/status":               400,
		"/task/ä\x00\xff/status":           400,
		"/task/a?b/status":                 400,
		"/task/a#b/status":                 400,
		"task/" + id.String() + "/status":  200,
		"//task/" + id.String():            404,
		"":                                 404,
		"/task/" + id.String() + "/status": 200,
	} {
		answer := invoke(t, api(&tasks{}), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: path})
		if answer.StatusCode != want {
			t.Errorf("path %q: %d %s, want %d", path, answer.StatusCode, answer.Body, want)
		}
	}
}

func TestLambdaAnswersAnEventThatIsNoRequest(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]events.APIGatewayProxyRequest{
		"method":  {HTTPMethod: "G T", Path: "/task"},
		"base 64": {HTTPMethod: "POST", Path: "/task", Body: "*", IsBase64Encoded: true},
	} {
		if answer := invoke(t, api(&tasks{}), e); answer.StatusCode != 400 {
			t.Errorf("%s: %d %s, want 400", name, answer.StatusCode, answer.Body)
		}
	}
}

func TestLambdaAnswersBeforeItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 28*time.Second)
		defer cancel()
		start := time.Now()
		hangs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		answer, err := httpapi.Lambda(hangs, slog.New(slog.DiscardHandler))(ctx, events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/task"})
		if took := time.Since(start); err != nil || answer.StatusCode != 503 || took != 26*time.Second {
			t.Errorf("%d, %v after %s; want 503 after 26 of 28 s", answer.StatusCode, err, took)
		}
	})
}

func TestLambdaDecodesABase64Body(t *testing.T) {
	t.Parallel()
	e := events.APIGatewayProxyRequest{HTTPMethod: "POST", Path: "/task", Body: "e30=", IsBase64Encoded: true}
	if answer := invoke(t, api(&tasks{}), e); answer.StatusCode != 201 {
		t.Errorf("%d %s, want 201", answer.StatusCode, answer.Body)
	}
}
