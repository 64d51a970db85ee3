package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// TestBodiesThatCannotBeRead sends broken requests through a real port: each gets its status, and none reaches the
// function.
func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const post, chunked = "POST /item HTTP/1.1\r\nHost: localhost\r\n", "Transfer-Encoding: chunked\r\n\r\n"
	const cut = `{"message":"The request body cannot be read: unexpected EOF"}`
	const late = `{"message":"Request Timeout"}`
	for name, test := range map[string]struct {
		request string
		half    bool
		status  int
		body    string // "" matches any
	}{
		"whole":                    {post + "Content-Length: 2\r\n\r\nhi", false, 200, ""},
		"whole in chunks":          {post + chunked + "2\r\nhi\r\n0\r\n\r\n", false, 200, ""},
		"half-closed connection":   {post + "Content-Length: 10\r\n\r\nhi", true, 400, cut},
		"half-closed in a chunk":   {post + chunked + "a\r\nhi", true, 400, cut},
		"no more bytes":            {post + "Content-Length: 10\r\n\r\nhi", false, 408, late},
		"no more bytes of a chunk": {post + chunked + "a\r\nhi", false, 408, late},
		"chunk size ZZ":            {post + chunked + "ZZ\r\nhi\r\n0\r\n\r\n", false, 400, `{"message":"The request body cannot be read: invalid byte in chunk length"}`},
		"bad trailer":              {post + chunked + "2\r\nhi\r\n0\r\nnot a header\r\n\r\n", false, 400, ""},
		"two lengths":              {post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", false, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := &recorder{}
			port, err := listen.Open(listen.Options{Timeouts: listen.Timeouts{Read: 300 * time.Millisecond}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = port.Close(t.Context()) }()
			port.Serve(newGateway(t, testAPI(nil), seen, Options{}))
			status, body := raw(t, port.Addr().String(), test.request, test.half)
			if status != test.status || test.body != "" && body != test.body {
				t.Errorf("answer %d %s; want %d %s", status, body, test.status, test.body)
			}
			if invoked := len(seen.seen) == 1; invoked != (test.status == 200) {
				t.Errorf("the function was invoked: %t", invoked)
			}
		})
	}
}

// TestUnreadableBodyInTheTemplatesForm checks that the template's gateway response words the answer.
func TestUnreadableBodyInTheTemplatesForm(t *testing.T) {
	t.Parallel()
	port, err := listen.Open(listen.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = port.Close(t.Context()) }()
	port.Serve(newGateway(t, testAPI(map[string]spec.GatewayResponse{"BAD_REQUEST_BODY": problem(400, "Bad")}), &recorder{}, Options{}))
	status, body := raw(t, port.Addr().String(), "POST /item HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhi", true)
	if want := `{"title":"Bad","detail":"The request body cannot be read: unexpected EOF"}`; status != 400 || body != want {
		t.Errorf("answer %d %s; want 400 %s", status, body, want)
	}
}

// raw sends bytes as they are and reads one answer.
func raw(t *testing.T, address, request string, half bool) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if half {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}
