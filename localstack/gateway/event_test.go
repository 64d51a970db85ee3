package gateway

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

var update = flag.Bool("update", false, "write the goldens in testdata")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

func fixedID() requestID {
	return requestID{
		request: "3b1f7c2e-7a55-4b8e-9f55-0d2c3f6f8a01", extended: "JJbxmplHYosFVYQ=", trace: "67891233abcdef0123456789",
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		golden, method, target, body string
		headers                      [][2]string
	}{
		{golden: "get.json", method: "GET", target: "/item"},
		{
			golden: "post.json", method: "POST", target: "/item", body: `{"name":"é <&> \"x\""}`,
			headers: [][2]string{
				{"Content-Type", "application/json; charset=utf-8"}, {"User-Agent", "curl/8.5.0"}, {"Content-Length", "24"},
				{"Accept", "*/*"}, {"X-Twice", "first"}, {"X-Twice", "second"}, {"X-Forwarded-For", "203.0.113.9"},
				{"Connection", "keep-alive"},
			},
		},
		{golden: "params.json", method: "GET", target: "/item/a%2Bb%2Fc%20d/status?email=a%2Bb@x.org&plus=a+b&n=1&n=2&empty=&flag"},
		{golden: "binary.json", method: "POST", target: "/item", body: "\xff\x00\xfe"},
	} {
		t.Run(test.golden, func(t *testing.T) {
			t.Parallel()
			seen := &recorder{}
			g := newGateway(t, testAPI(nil), seen, Options{})
			g.now = func() time.Time { return time.UnixMilli(1_700_000_000_123) }
			g.newID = fixedID
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
			r.Host = "127.0.0.1:8080"
			for _, h := range test.headers {
				r.Header.Add(h[0], h[1])
			}
			g.ServeHTTP(httptest.NewRecorder(), r)

			var indented bytes.Buffer
			if err := json.Indent(&indented, seen.last().payload, "", "  "); err != nil {
				t.Fatal(err)
			}
			indented.WriteByte('\n')
			golden(t, test.golden, indented.Bytes())
			checkDecodes(t, seen.last().payload)
		})
	}
}

// checkDecodes checks that aws-lambda-go's type has a field for every member of an event.
func checkDecodes(t *testing.T, payload []byte) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	var event events.APIGatewayProxyRequest
	if err := decoder.Decode(&event); err != nil && !strings.Contains(err.Error(), `unknown field "principalOrgId"`) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		t.Fatal(err)
	}
	if event.RequestContext.Stage != "v1" || event.RequestContext.AccountID != "000000000000" ||
		event.RequestContext.ResourcePath != event.Resource || event.RequestContext.Identity.SourceIP != "192.0.2.1" {
		t.Errorf("request context is %+v", event.RequestContext)
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	g := newGateway(t, testAPI(nil), seen, Options{})
	for malformed, part := range map[string]string{"limit=%zz": "%zz", "%": "%", "a=1&%2=b": "%2"} {
		r := httptest.NewRequest("GET", "/item", nil)
		r.URL.RawQuery = malformed
		w := httptest.NewRecorder()
		if g.ServeHTTP(w, r); w.Code != 400 || w.Body.String() != `{"message":"Bad Request: the query has an invalid URL escape \"`+part+`\""}` || len(seen.seen) != 0 {
			t.Errorf("?%s: %d %s, and %d invocations; want 400 and none", malformed, w.Code, w.Body, len(seen.seen))
		}
	}
	for query, want := range map[string]string{
		"":            `"queryStringParameters":null,"multiValueQueryStringParameters":null`,
		"&":           `"queryStringParameters":null,"multiValueQueryStringParameters":null`,
		"a=1;b=2&a=3": `"queryStringParameters":{"a":"3"},"multiValueQueryStringParameters":{"a":["1;b=2","3"]}`,
	} {
		if r := request(g, "GET", "/item?"+query); r.StatusCode != 200 || !strings.Contains(string(seen.last().payload), want) {
			t.Errorf("?%s: %d %s; want %s", query, r.StatusCode, seen.last().payload, want)
		}
	}
}
