package listen

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestBodiesThatCannotBeRead checks the status of each kind of broken body.
func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const post, chunked = "POST / HTTP/1.1\r\nHost: localhost\r\n", "Transfer-Encoding: chunked\r\n\r\n"
	for name, test := range map[string]struct {
		request string
		half    bool
		status  int
	}{
		"whole":                      {post + "Content-Length: 2\r\n\r\nhi", false, 202},
		"whole in chunks":            {post + chunked + "2\r\nhi\r\n0\r\n\r\n", false, 202},
		"none":                       {post + "\r\n", false, 202},
		"half-closed connection":     {post + "Content-Length: 10\r\n\r\nhi", true, 400},
		"half-closed in a chunk":     {post + chunked + "a\r\nhi", true, 400},
		"no more bytes":              {post + "Content-Length: 10\r\n\r\nhi", false, 408},
		"no more bytes of a chunk":   {post + chunked + "a\r\nhi", false, 408},
		"chunk size ZZ":              {post + chunked + "ZZ\r\nhi\r\n0\r\n\r\n", false, 400},
		"negative chunk size":        {post + chunked + "-1\r\nhi\r\n0\r\n\r\n", false, 400},
		"huge chunk size":            {post + chunked + "fffffffffffffffff\r\nhi\r\n0\r\n\r\n", false, 400},
		"chunk longer than its size": {post + chunked + "1\r\nhi\r\n0\r\n\r\n", false, 400},
		"bad trailer":                {post + chunked + "2\r\nhi\r\n0\r\nnot a header\r\n\r\n", false, 400},
		"unknown transfer encoding":  {post + "Transfer-Encoding: gzip\r\n\r\nhi", false, 501},
		"length and chunks":          {post + "Content-Length: 2\r\n" + chunked + "2\r\nhi\r\n0\r\n\r\n", false, 202},
		"two lengths":                {post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", false, 400},
		"negative length":            {post + "Content-Length: -2\r\n\r\nhi", false, 400},
		"no number as length":        {post + "Content-Length: two\r\n\r\nhi", false, 400},
		"no Host":                    {"POST / HTTP/1.1\r\n\r\n", false, 400},
		"two Hosts":                  {post + "Host: localhost\r\n\r\n", false, 400},
		"control character":          {post + "X-A: a\x01b\r\n\r\n", false, 400},
		"space in a name":            {post + "X A: a\r\n\r\n", false, 400},
		"huge header":                {post + "X-A: " + strings.Repeat("a", 20<<10) + "\r\n\r\n", false, 431},
		"many headers":               {post + strings.Repeat("X-A: a\r\n", 4000) + "\r\n", false, 431},
		"huge target":                {"GET /" + strings.Repeat("a", 20<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", false, 431},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, Options{Timeouts: Timeouts{Read: 300 * time.Millisecond}}, reads)
			if got := b.raw(test.request, test.half); got.StatusCode != test.status {
				t.Errorf("answer %d %s; want %d", got.StatusCode, got.body, test.status)
			}
		})
	}
}

// TestUnfinishedRequestsEnd checks that no stalled client holds a connection.
func TestUnfinishedRequestsEnd(t *testing.T) {
	t.Parallel()
	const short = 100 * time.Millisecond
	for name, sent := range map[string]string{
		"nothing":           "",
		"a header's half":   "POST / HTTP/1.1\r\nHost: localh",
		"a body's half":     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhi",
		"only a whole one":  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a refused request": "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 10\r\n\r\nhi",
	} {
		for handler, h := range map[string]http.Handler{"reads": reads, "does not read": ok, "starting": nil} {
			t.Run(name+", "+handler, func(t *testing.T) {
				t.Parallel()
				b := setup(t, Options{Timeouts: Timeouts{ReadHeader: short, Read: short, Idle: short}}, h)
				conn := b.dial()
				if _, err := io.WriteString(conn, sent); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); err != nil { // until the server closes it, or the dialled deadline
					t.Errorf("the connection is held: %v", err)
				}
			})
		}
	}
}

// TestLongAnswers checks that the time-outs do not count a handler's work: its context lives, and its answer arrives.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	const short, work = 50 * time.Millisecond, 400 * time.Millisecond
	long := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/early" {
			w.WriteHeader(http.StatusAccepted)
		}
		select {
		case <-r.Context().Done():
			t.Errorf("%s: the handler's context ended: %v", r.URL.Path, r.Context().Err())
		case <-time.After(work): // longer than every time-out
		}
		_, _ = io.WriteString(w, "done")
	})
	b := setup(t, Options{Timeouts: Timeouts{ReadHeader: short, Read: short, Write: short, Idle: time.Minute}}, long)
	conn := b.dial()
	answers := bufio.NewReader(conn)
	for _, request := range []string{
		"POST /late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi",
		"POST /early HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		if got := b.read(answers, request); got.body != "done" {
			t.Errorf("%.12s: answer %d %q", request, got.StatusCode, got.body)
		}
	}
}

// TestClientThatDoesNotRead checks that an answer that the client does not read does not block its handler.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	piece := make([]byte, 1<<20)
	b := setup(t, Options{Timeouts: Timeouts{Write: 100 * time.Millisecond}}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for i := 0; i < 1000 && err == nil; i++ {
			_, err = w.Write(piece)
		}
		ended <- err
	}))
	if _, err := io.WriteString(b.dial(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("1 GB was written to a client that does not read")
		}
	case <-time.After(20 * time.Second):
		t.Error("the handler is held")
	}
}

// TestBodyLimit checks the limit of every port.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{Shape: AWS}, reads)
	for size, want := range map[int]int{maxBody: 202, maxBody + 1: 413} {
		r, err := http.Post(b.port.URL(), "text/plain", io.LimitReader(zeros{}, int64(size)))
		if err != nil {
			t.Fatal(err)
		}
		if _ = r.Body.Close(); r.StatusCode != want {
			t.Errorf("%d bytes: answer %d; want %d", size, r.StatusCode, want)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestHeaderLimits checks that the AWS endpoint accepts the headers of SDKs: a client context has up to 3,583 bytes
// before its encoding, and a session token some thousands.
func TestHeaderLimits(t *testing.T) {
	t.Parallel()
	request := fmt.Sprintf("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: %s\r\n\r\n", strings.Repeat("a", 32<<10))
	if got := setup(t, Options{Shape: AWS}, ok).raw(request, false); got.StatusCode != 202 {
		t.Errorf("the AWS endpoint answers %d; want 202", got.StatusCode)
	}
	if got := setup(t, Options{Shape: REST}, ok).raw(request, false); got.StatusCode != 431 {
		t.Errorf("the REST API answers %d; want 431", got.StatusCode)
	}
}
