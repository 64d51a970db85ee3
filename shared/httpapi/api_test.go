package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/httpapi"
	"github.com/eragon-mdi/ksu/shared/task"
)

var (
	id      = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	created = time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC)
)

// tasks answers with the test's values and records whether it was called.
type tasks struct {
	task task.Task
	// submission and change are the handlers' arguments.
	submission task.Submission
	change     task.Change
	list       []task.Task
	page       task.Page
	key        task.Key
	err        error
	panics     any
	asked      bool
}

func (s *tasks) ask() {
	s.asked = true
	if s.panics != nil {
		panic(s.panics)
	}
}
func (s *tasks) Submit(_ context.Context, submission task.Submission, key task.Key) (task.Task, error) {
	s.ask()
	s.submission, s.key = submission, key
	return s.task, s.err
}
func (s *tasks) Get(context.Context, uuid.UUID) (task.Task, error)    { s.ask(); return s.task, s.err }
func (s *tasks) Result(context.Context, uuid.UUID) (task.Task, error) { s.ask(); return s.task, s.err }
func (s *tasks) Retry(context.Context, uuid.UUID) (task.Task, error)  { s.ask(); return s.task, s.err }
func (s *tasks) Update(_ context.Context, _ uuid.UUID, change task.Change) (task.Task, error) {
	s.ask()
	s.change = change
	return s.task, s.err
}
func (s *tasks) Cancel(context.Context, uuid.UUID) error { s.ask(); return s.err }
func (s *tasks) List(_ context.Context, p task.Page) ([]task.Task, error) {
	s.ask()
	s.page = p
	return s.list, s.err
}

func serve(s *tasks, method, target, body string) *httptest.ResponseRecorder {
	return serveWith(s, method, target, body)
}

// serveWith is serve with headers: name, value, name, value.
func serveWith(s *tasks, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	httpapi.New(s, options, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return w
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	work := task.Submission{}.WithDefaults()
	running := task.Task{ID: id, Submission: work, Status: task.Running, CreatedAt: created, Duration: 90*time.Second + 900*time.Millisecond}
	done := task.Task{ID: id, Submission: work, Status: task.Completed, Result: json.RawMessage(`"io work result = 0"`), CreatedAt: created, Duration: 4 * time.Minute}
	const stamp = `"2026-01-02T03:04:05.678900Z"`
	for name, c := range map[string]struct {
		tasks                *tasks
		method, path, body   string
		status               int
		want, header, headed string
	}{
		"submit": {
			&tasks{task: task.Task{ID: id, Status: task.Pending, CreatedAt: created}}, "POST", "/task", "", 201,
			`{"id":"` + id.String() + `","created_at":` + stamp + `,"duration":0,"type":"iowork","status":"created, but waiting to start","links":{"task":"/task/` + id.String() + `","status":"/task/` + id.String() + `/status","result":"/task/` + id.String() + `/result"}}`, "Location", "/task/" + id.String() + "/status",
		},
		"submit an empty object": {
			&tasks{task: task.Task{ID: id, CreatedAt: created}}, "POST", "/task", " {} ", 201,
			`{"id":"` + id.String() + `","created_at":` + stamp + `,"duration":0,"type":"iowork","status":"created, but waiting to start","links":{"task":"/task/` + id.String() + `","status":"/task/` + id.String() + `/status","result":"/task/` + id.String() + `/result"}}`, "Content-Type", "application/json",
		},
		"delete": {&tasks{}, "DELETE", "/task/" + id.String(), "", 204, "", "", ""},
		"result": {
			&tasks{task: done}, "GET", "/task/" + id.String() + "/result", "", 200,
			`{"result":"io work result = 0"}`, "Content-Type", "application/json",
		},
		"status": {
			&tasks{task: running}, "GET", "/task/" + id.String() + "/status", "", 200,
			`{"status":"in process","created_at":` + stamp + `,"duration":90}`, "Content-Type", "application/json",
		},
		"empty list": {&tasks{}, "GET", "/task", "", 200, `[]`, "Link", ""},
		"list": {
			&tasks{list: []task.Task{running, done}}, "GET", "/task", "", 200,
			`[{"id":"` + id.String() + `","result":null,"status":"in process","created_at":` + stamp + `,"duration":90,"type":"iowork","fairness_key":"local"},` +
				`{"id":"` + id.String() + `","result":"io work result = 0","status":"completed","created_at":` + stamp + `,"duration":240,"type":"iowork","fairness_key":"local"}]`, "Link", "",
		},
		"list with a next page": {
			&tasks{list: []task.Task{done, done, done}}, "GET", "/task?limit=2&status=completed", "", 200,
			`[{"id":"` + id.String() + `","result":"io work result = 0","status":"completed","created_at":` + stamp + `,"duration":240,"type":"iowork","fairness_key":"local"},` +
				`{"id":"` + id.String() + `","result":"io work result = 0","status":"completed","created_at":` + stamp + `,"duration":240,"type":"iowork","fairness_key":"local"}]`,
			"Link", `<?cursor=` + id.String() + `&limit=2&status=completed>; rel="next"`,
		},
	} {
		w := serve(c.tasks, c.method, c.path, c.body)
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("%s: %d %s\nwant %d %s", name, w.Code, w.Body, c.status, c.want)
		}
		if c.header != "" && w.Header().Get(c.header) != c.headed {
			t.Errorf("%s: header %s is %q, want %q", name, c.header, w.Header().Get(c.header), c.headed)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial postgres://user:secret@db")
	path := "/task/" + id.String()
	for name, c := range map[string]struct {
		tasks              *tasks
		method, path, body string
		status             int
		detail             string
		asks               bool
	}{
		"id is no UUID":           {&tasks{}, "GET", "/task/7/status", "", 400, "must be a UUID", false},
		"id without dashes":       {&tasks{}, "DELETE", "/task/01890a5dac96774bbcceb302099a8057", "", 400, "must be a UUID", false},
		"id as URN":               {&tasks{}, "GET", "/task/urn:uuid:" + id.String() + "/result", "", 400, "must be a UUID", false},
		"encoded id":              {&tasks{}, "GET", "/task/a%2Fb/result", "", 400, "must be a UUID", false},
		"half an object":          {&tasks{}, "POST", "/task", "{", 400, "the body is not JSON: unexpected end of JSON input at byte 1", false},
		"not JSON":                {&tasks{}, "POST", "/task", "{bad", 400, "the body is not JSON: invalid character 'b' looking for beginning of object key string at byte 2", false},
		"only spaces":             {&tasks{}, "POST", "/task", "  ", 400, "the body is not JSON: unexpected end of JSON input", false},
		"two values":              {&tasks{}, "POST", "/task", "{}{}", 400, "the body is not JSON: invalid character '{' after top-level value at byte 3", false},
		"null":                    {&tasks{}, "POST", "/task", " null", 400, "the body is a JSON null; it must be empty or a JSON object", false},
		"array":                   {&tasks{}, "POST", "/task", "[]", 400, "the body is a JSON array; it must be empty or a JSON object", false},
		"string":                  {&tasks{}, "POST", "/task", `"a"`, 400, "the body is a JSON string; it must", false},
		"number":                  {&tasks{}, "POST", "/task", "-1", 400, "the body is a JSON number; it must", false},
		"boolean":                 {&tasks{}, "POST", "/task", "false", 400, "the body is a JSON boolean; it must", false},
		"repeated parameter":      {&tasks{}, "GET", "/task?limit=1&limit=2", "", 400, "query parameter limit appears 2 times; give it once", false},
		"parameter given thrice":  {&tasks{}, "GET", "/task?status=failed&limit=1&status=failed&status=failed", "", 400, "status appears 3 times", false},
		"unknown member":          {&tasks{}, "POST", "/task", `{"when":1}`, 422, "no valid task", false},
		"repeated member":         {&tasks{}, "POST", "/task", `{"type":"iowork","delay":1,"type":"iowork"}`, 400, `the member "type" more than once`, false},
		"not UTF-8":               {&tasks{}, "POST", "/task", "{\"type\":\"\xff\"}", 400, "the body is not UTF-8", false},
		"retry with members":      {&tasks{}, "POST", path + "/retry", `{"delay":1}`, 422, "a retry accepts none", false},
		"retry of a running task": {&tasks{err: task.ErrNotFailed}, "POST", path + "/retry", "", 409, "only a failed task can be retried", true},
		"change of nothing":       {&tasks{}, "PATCH", path, "", 422, "no valid change", false},
		"late change":             {&tasks{err: task.ErrNotWaiting}, "PATCH", path, `{"priority":1}`, 409, "only a task that waits", true},
		"get an unknown task":     {&tasks{err: task.ErrNotFound}, "GET", path, "", 404, "no task has this id", true},
		"jobs with a query":       {&tasks{}, "GET", "/job?x=1", "", 400, "the query is \"x=1\"; /job accepts none", false},
		"empty filter":            {&tasks{}, "GET", "/task?tag=", "", 400, `tag is ""`, false},
		"filter with NUL":         {&tasks{}, "GET", "/task?type=%00", "", 400, "type is", false},
		"too large":               {&tasks{}, "POST", "/task", strings.Repeat(" ", httpapi.MaxBody+1), 413, "256 KiB", false},
		"limit":                   {&tasks{}, "GET", "/task?limit=0", "", 400, `limit is "0"; allowed are whole numbers from 1 to 1000`, false},
		"limit too large":         {&tasks{}, "GET", "/task?limit=1001", "", 400, "1 to 1000", false},
		"cursor":                  {&tasks{}, "GET", "/task?cursor=x", "", 400, `cursor is "x"`, false},
		"status":                  {&tasks{}, "GET", "/task?status=cancelled", "", 400, "allowed are pending, running, completed, failed", false},
		"unknown parameter":       {&tasks{}, "GET", "/task?page=2", "", 400, `"page" is unknown; allowed are limit, cursor, status, type, tag, fairness_key`, false},
		"malformed query":         {&tasks{}, "GET", "/task?limit=%zz", "", 400, `the query cannot be decoded: invalid URL escape "%zz"`, false},
		"submit with a query":     {&tasks{}, "POST", "/task?foo=1", "", 400, `the query is "foo=1"; POST /task accepts none`, false},
		"unknown task":            {&tasks{err: task.ErrNotFound}, "GET", path + "/status", "", 404, "no task has this id", true},
		"deleted twice":           {&tasks{err: task.ErrNotFound}, "DELETE", path, "", 404, "no task has this id", true},
		"no route":                {&tasks{}, "GET", "/tasks", "", 404, "no such route", false},
		"no method":               {&tasks{}, "PUT", path, "", 405, "PUT is not allowed here; allowed are DELETE, GET, HEAD, OPTIONS, PATCH", false},
		"store away":              {&tasks{err: errors.Join(task.ErrUnavailable, secret)}, "POST", "/task", "", 503, "is unavailable", true},
		"internal":                {&tasks{err: secret}, "GET", "/task", "", 500, "the log has the reason", true},
		"panic":                   {&tasks{panics: "boom"}, "GET", "/task", "", 500, "the log has the reason", true},
		"panic to abort":          {&tasks{panics: http.ErrAbortHandler}, "POST", "/task", "", 500, "the log has the reason", true},
		"key reused":              {&tasks{err: task.ErrKeyReused}, "POST", "/task", "", 422, "another request body", true},
		"result of a waiting one": {&tasks{err: task.ErrNoResult}, "GET", path + "/result", "", 409, "task running or failed, no result, check status", true},
	} {
		w := serve(c.tasks, c.method, c.path, c.body)
		var p struct {
			Type, Title, Detail, Problem string
			Status                       int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s: body %q: %v", name, w.Body, err)
		}
		if w.Code != c.status || p.Status != c.status || p.Title != http.StatusText(c.status) || p.Type != "about:blank" || !strings.Contains(p.Detail, c.detail) {
			t.Errorf("%s: %d %s\nwant %d with a detail of %q", name, w.Code, w.Body, c.status, c.detail)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: Content-Type %q", name, got)
		}
		if wantProblem := errors.Is(c.tasks.err, task.ErrNoResult); wantProblem != (p.Problem == "task running or failed, no result, check status") {
			t.Errorf("%s: problem %q", name, p.Problem)
		}
		if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "boom") {
			t.Errorf("%s: the answer shows internals: %s", name, w.Body)
		}
		if c.tasks.asked != c.asks {
			t.Errorf("%s: tasks asked: %t, want %t", name, c.tasks.asked, c.asks)
		}
		if retry := w.Header().Get("Retry-After"); (retry != "") != (c.status == 503) {
			t.Errorf("%s: Retry-After %q", name, retry)
		}
	}
}

// TestHeadAndOptions checks the methods that every client may expect (RFC 9110, section 9.1).
func TestHeadAndOptions(t *testing.T) {
	t.Parallel()
	done := task.Task{ID: id, Status: task.Completed, Result: json.RawMessage(`"x"`), CreatedAt: created}
	for path, allow := range map[string]string{
		"/task": "GET, HEAD, OPTIONS, POST", "/task/" + id.String(): "DELETE, GET, HEAD, OPTIONS, PATCH", "/job": "GET, HEAD, OPTIONS", "/task/" + id.String() + "/retry": "OPTIONS, POST",
		"/task/" + id.String() + "/result": "GET, HEAD, OPTIONS", "/task/" + id.String() + "/status": "GET, HEAD, OPTIONS",
	} {
		s := &tasks{task: done}
		if w := serve(s, "OPTIONS", path, ""); w.Code != 204 || w.Header().Get("Allow") != allow || w.Body.Len() != 0 || s.asked {
			t.Errorf("OPTIONS %s: %d, Allow %q, %q", path, w.Code, w.Header().Get("Allow"), w.Body)
		}
		if w := serve(s, "PUT", path, ""); w.Code != 405 || w.Header().Get("Allow") != allow || s.asked {
			t.Errorf("PUT %s: %d, Allow %q", path, w.Code, w.Header().Get("Allow"))
		}
		if !strings.Contains(allow, "HEAD") {
			continue
		}
		get, head := serve(s, "GET", path, ""), serve(s, "HEAD", path, "")
		if head.Code != 200 || head.Body.Len() != 0 || get.Body.Len() == 0 || !maps.EqualFunc(get.Header(), head.Header(), slices.Equal) {
			t.Errorf("HEAD %s: %d %v %q; want the answer to GET without its body", path, head.Code, head.Header(), head.Body)
		}
	}
	if w := serve(&tasks{}, "HEAD", "/task?limit=0", ""); w.Code != 400 || w.Body.Len() != 0 {
		t.Errorf("HEAD with a wrong query: %d %q", w.Code, w.Body)
	}
}

// TestContentCodings checks that a compressed body is not mistaken for broken JSON.
func TestContentCodings(t *testing.T) {
	t.Parallel()
	for coding, want := range map[string]int{"": 201, "identity": 201, "Identity": 201, "gzip": 415, "gzip, br": 415, "br": 415} {
		r := httptest.NewRequest("POST", "/task", strings.NewReader("{}"))
		if coding != "" {
			r.Header.Set("Content-Encoding", coding)
		}
		w := httptest.NewRecorder()
		httpapi.New(&tasks{task: task.Task{ID: id}}, options, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
		if w.Code != want || want == 415 && (w.Header().Get("Accept-Encoding") != "identity" || !strings.Contains(w.Body.String(), coding)) {
			t.Errorf("Content-Encoding %q: %d %v %s; want %d", coding, w.Code, w.Header(), w.Body, want)
		}
	}
}

func TestListReadsItsQuery(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]task.Page{
		"":                                    {Limit: 101},
		"?limit=1000":                         {Limit: 1001},
		"?status=in%20process":                {Limit: 101, Status: task.Running},
		"?cursor=" + id.String() + "&limit=5": {Limit: 6, Before: id},
	} {
		s := &tasks{}
		if w := serve(s, "GET", "/task"+query, ""); w.Code != 200 || s.page != want {
			t.Errorf("%s: %d, page %+v, want %+v", query, w.Code, s.page, want)
		}
	}
}

func TestReadErrorIsABadRequest(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/task", io.MultiReader(strings.NewReader("{"), failing{}))
	w := httptest.NewRecorder()
	httpapi.New(&tasks{}, options, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	if w.Code != 400 {
		t.Errorf("status %d, want 400", w.Code)
	}
	if keys := slices.Collect(maps.Keys(w.Header())); !slices.Contains(keys, "Content-Type") {
		t.Errorf("headers %v", keys)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	submit := func(body string, keys ...string) (int, task.Key) {
		s := &tasks{}
		r := httptest.NewRequest("POST", "/task", strings.NewReader(body))
		r.Header["Idempotency-Key"] = keys
		w := httptest.NewRecorder()
		httpapi.New(s, options, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
		return w.Code, s.key
	}
	_, none := submit("")
	if none.Name != "" || none.Request != nil {
		t.Errorf("no key is read as %+v", none)
	}
	_, bare := submit("{}", "abc")
	_, quoted := submit("{}", `"abc"`)
	if bare.Name != "abc" || quoted.Name != "abc" || !slices.Equal(bare.Request, quoted.Request) {
		t.Errorf("bare %+v, quoted %+v; want the same", bare, quoted)
	}
	for _, body := range []string{"", " { } "} {
		if _, same := submit(body, "abc"); !slices.Equal(bare.Request, same.Request) {
			t.Errorf("the bodies %q and {} ask for the same and have two hashes", body)
		}
	}
	for _, keys := range [][]string{{""}, {`""`}, {"a", "b"}, {"a b"}, {"ä"}, {`a"b`}, {strings.Repeat("x", 256)}} {
		if code, _ := submit("", keys...); code != 400 {
			t.Errorf("keys %q: %d, want 400", keys, code)
		}
	}
}

func TestErrorsOfAttemptsAreShown(t *testing.T) {
	t.Parallel()
	failed := task.Task{ID: id, Status: task.Failed, Error: "io failed"}
	if w := serve(&tasks{list: []task.Task{failed}}, "GET", "/task", ""); !strings.Contains(w.Body.String(), `"error":"io failed"`) {
		t.Errorf("list: %s", w.Body)
	}
	w := serve(&tasks{task: failed, err: task.ErrNoResult}, "GET", "/task/"+id.String()+"/result", "")
	if w.Code != 409 || !strings.Contains(w.Body.String(), `"error":"io failed"`) {
		t.Errorf("result: %d %s", w.Code, w.Body)
	}
}
