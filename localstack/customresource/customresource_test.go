package customresource_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/customresource"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// function is behind a custom resource: it gets the request and answers as the test decides.
type function struct {
	initErr error
	handle  func(request map[string]any) (*spec.Output, error)
}

func (f *function) Init(context.Context, string) error { return f.initErr }

func (f *function) Invoke(_ context.Context, _ string, in spec.Input) (*spec.Output, error) {
	var request map[string]any
	if err := json.Unmarshal(in.Payload, &request); err != nil {
		return nil, err
	}
	return f.handle(request)
}

// setup serves a service and returns it with its function.
func setup(t *testing.T) (*customresource.Service, *function) {
	t.Helper()
	f := &function{}
	server := httptest.NewUnstartedServer(nil)
	s := customresource.New(f, "http://"+server.Listener.Addr().String())
	server.Config.Handler = s
	server.Start()
	t.Cleanup(server.Close)
	return s, f
}

// put sends an answer to a URL and returns the status.
func put(t *testing.T, url any, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url.(string), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := w.Body.Close(); err != nil {
		t.Error(err)
	}
	return w.StatusCode
}

var resource = spec.CustomResource{LogicalID: "Setting", Type: "Custom::Setting", Function: "demo-F", Properties: map[string]any{"Name": "x"}}

func TestCreate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		initErr error
		output  *spec.Output
		invoke  error
		answer  string
		want    string // the error; "" for none
	}{
		"success":                  {output: &spec.Output{}, answer: `{"Status":"SUCCESS","PhysicalResourceId":"p"}`},
		"failure":                  {output: &spec.Output{}, answer: `{"Status":"FAILED","Reason":"no permission"}`, want: "custom resource Setting failed: no permission"},
		"function cannot start":    {initErr: errors.New("exit status 3"), want: "custom resource Setting: exit status 3"},
		"function is not run":      {invoke: spec.ErrThrottled, want: "custom resource Setting: the function is throttled"},
		"function fails":           {output: &spec.Output{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"boom"}`)}, want: `custom resource Setting: function demo-F failed: {"errorMessage":"boom"}`},
		"first of several answers": {output: &spec.Output{}, answer: `{"Status":"SUCCESS"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := setup(t)
			f.initErr = test.initErr
			f.handle = func(request map[string]any) (*spec.Output, error) {
				properties, _ := request["ResourceProperties"].(map[string]any)
				if request["RequestType"] != "Create" || request["StackId"] != "arn:stack" || request["LogicalResourceId"] != "Setting" ||
					request["ResourceType"] != "Custom::Setting" || properties["Name"] != "x" {
					t.Errorf("the request is %v", request)
				}
				if test.answer != "" {
					if status := put(t, request["ResponseURL"], test.answer); status != http.StatusOK {
						t.Errorf("the answer gets %d", status)
					}
					if status := put(t, request["ResponseURL"], `{"Status":"FAILED","Reason":"late"}`); status != http.StatusOK {
						t.Errorf("the second answer gets %d", status)
					}
				}
				return test.output, test.invoke
			}
			err := s.Create(t.Context(), resource, "arn:stack")
			if got := errorText(err); got != test.want {
				t.Errorf("got error %q, want %q", got, test.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestEndsWithItsContext checks that a function that never answers does not delay the stop of the stack.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s, f := setup(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	f.handle = func(map[string]any) (*spec.Output, error) {
		cancel(errors.New("stopped"))
		return &spec.Output{}, nil
	}
	if err := s.Create(ctx, resource, "arn:stack"); errorText(err) != "custom resource Setting: stopped" {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	s, f := setup(t)
	f.handle = func(request map[string]any) (*spec.Output, error) {
		url, _ := request["ResponseURL"].(string)
		for body, want := range map[string]int{
			"nothing":                http.StatusBadRequest,
			`{"Status":"DONE"}`:      http.StatusBadRequest,
			strings.Repeat(" ", 1e6): http.StatusRequestEntityTooLarge,
		} {
			if status := put(t, url, body); status != want {
				t.Errorf("%.20q gets %d, want %d", body, status, want)
			}
		}
		if status := put(t, url+"x", `{"Status":"SUCCESS"}`); status != http.StatusNotFound {
			t.Errorf("an answer to nobody gets %d", status)
		}
		if status := put(t, url, `{"Status":"SUCCESS"}`); status != http.StatusOK {
			t.Errorf("the true answer gets %d", status)
		}
		return &spec.Output{}, nil
	}
	if err := s.Create(t.Context(), resource, "arn:stack"); err != nil {
		t.Error(err)
	}
}
