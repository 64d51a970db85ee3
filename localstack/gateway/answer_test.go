package gateway

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	type headers = map[string][]string
	for name, test := range map[string]struct {
		answer  string
		status  int
		headers headers
		body    string
	}{
		"all": {
			`{"statusCode":201,"headers":{"content-type":"text/plain","Location":"/x"},"body":"hé","isBase64Encoded":false}`,
			201, headers{"Content-Type": {"text/plain"}, "Location": {"/x"}}, "hé",
		},
		"nothing":        {`{}`, 200, headers{"Content-Type": {"application/json"}}, ""},
		"nulls":          {`{"statusCode":null,"headers":null,"multiValueHeaders":null,"body":null}`, 200, nil, ""},
		"status as text": {`{"statusCode":"404","body":"x"}`, 404, nil, "x"},
		"no content":     {`{"statusCode":204}`, 204, nil, ""},
		"several values": {
			`{"headers":{"X-A":"1","x-b":"0"},"multiValueHeaders":{"X-A":["1","2"],"X-B":["3"],"Set-Cookie":["a=1","b=2"]}}`,
			200, headers{"X-A": {"1", "2"}, "X-B": {"3", "0"}, "Set-Cookie": {"a=1", "b=2"}}, "",
		},
		"truth value": {`{"headers":{"X-A":true}}`, 200, headers{"X-A": {"true"}}, ""},
		"base64 stays": {
			`{"body":"aGVsbG8=","isBase64Encoded":true}`, 200, nil, "aGVsbG8=",
		},
		"renamed": {
			`{"headers":{"Date":"now","Server":"me","WWW-Authenticate":"Basic","Content-Length":"9","Transfer-Encoding":"chunked"}}`,
			200, headers{
				"X-Amzn-Remapped-Date": {"now"}, "X-Amzn-Remapped-Server": {"me"}, "X-Amzn-Remapped-Www-Authenticate": {"Basic"},
				"Date": nil, "Server": nil, "Content-Length": nil, "Transfer-Encoding": nil,
			}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(newGateway(t, testAPI(nil), answers(test.answer), Options{}), "GET", "/item")
			if got := body(t, r); r.StatusCode != test.status || got != test.body {
				t.Errorf("got %d %q; want %d %q", r.StatusCode, got, test.status, test.body)
			}
			for name, want := range test.headers {
				if got := r.Header[name]; !slices.Equal(got, want) {
					t.Errorf("header %s is %q; want %q", name, got, want)
				}
			}
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	returns := func(answer string) spec.Invoker { return answers(answer) }
	for name, invoker := range map[string]spec.Invoker{
		"no JSON":            returns(`hello`),
		"empty":              returns(``),
		"null":               returns(`null`),
		"a text":             returns(`"hello"`),
		"a list":             returns(`[]`),
		"body as object":     returns(`{"statusCode":200,"body":{"a":1}}`),
		"another member":     returns(`{"statusCode":200,"cookies":["a=1"]}`),
		"status no number":   returns(`{"statusCode":"OK"}`),
		"status too small":   returns(`{"statusCode":99}`),
		"status too large":   returns(`{"statusCode":600}`),
		"status a fraction":  returns(`{"statusCode":200.5}`),
		"header a number":    returns(`{"headers":{"X-A":1}}`),
		"headers a list":     returns(`{"headers":["X-A"]}`),
		"more than one":      returns(`{} {}`),
		"text behind it":     returns(`{}}`),
		"control character":  returns(`{"headers":{"X-A":"a\u0001"}}`),
		"line break":         returns(`{"multiValueHeaders":{"X-A":["a\r\nX-B: b"]}}`),
		"header name":        returns(`{"headers":{"X A":"a"}}`),
		"no header name":     returns(`{"headers":{"":"a"}}`),
		"error as an answer": returns(`{"errorMessage":"boom"}`),
		"function error": invokerFunc(func(context.Context, invocation) ([]byte, string, error) {
			return []byte(`{"errorMessage":"boom"}`), "Unhandled", nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logged := ""
			g := newGateway(t, testAPI(nil), invoker, Options{Log: func(message string) { logged = message }})
			r := request(g, "GET", "/item")
			if got := body(t, r); r.StatusCode != 502 || got != `{"message":"Internal server error"}` {
				t.Errorf("got %d %s", r.StatusCode, got)
			}
			if r.Header.Get("X-Amzn-Errortype") != "InternalServerErrorException" || logged == "" {
				t.Errorf("error type is %q, logged is %q", r.Header.Get("X-Amzn-Errortype"), logged)
			}
		})
	}
}

func TestFunctionThatIsNotRun(t *testing.T) {
	t.Parallel()
	g := newGateway(t, testAPI(nil), invokerFunc(func(context.Context, invocation) ([]byte, string, error) {
		return nil, "", errors.New("Rate Exceeded")
	}), Options{})
	r := request(g, "GET", "/item")
	if got := body(t, r); r.StatusCode != 500 || got != `{"message":"Internal server error"}` {
		t.Errorf("got %d %s", r.StatusCode, got)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	g := newGateway(t, testAPI(nil), answers(`{}`), Options{})
	for path, want := range map[string][]string{
		"/item": {"Content-Type", "X-Amz-Apigw-Id", "X-Amzn-Requestid", "X-Amzn-Trace-Id"},
		"/none": {"Content-Length", "Content-Type", "X-Amz-Apigw-Id", "X-Amzn-Errortype", "X-Amzn-Requestid"},
	} {
		got := slices.Sorted(maps.Keys(map[string][]string(request(g, http.MethodGet, path).Header)))
		if !slices.Equal(got, want) {
			t.Errorf("%s: headers are %v; want %v", path, got, want)
		}
	}
}
