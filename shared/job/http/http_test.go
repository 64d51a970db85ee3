package http_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/http"
	"github.com/eragon-mdi/ksu/shared/job/jobtest"
)

// bundle is a server on a loopback address and a job that may reach this address alone.
type bundle struct {
	server *httptest.Server
	job    *job.Job
}

func setup(t *testing.T, handler nethttp.HandlerFunc) bundle {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	to := netip.MustParseAddrPort(server.Listener.Addr().String())
	return bundle{server, http.New(http.Settings{Allow: func(a netip.AddrPort) bool { return a == to }})}
}

func (b bundle) send(t *testing.T, r http.Request, edit ...func(*job.Task)) (http.Result, error) {
	t.Helper()
	if strings.HasPrefix(r.URL, "/") {
		r.URL = b.server.URL + r.URL
	}
	return jobtest.Run[http.Result](t.Context(), b.job, r, edit...)
}

func TestARequestAndItsAnswer(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	b := setup(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.URL, r.Header.Get("X-Api-Key"), r.Header.Get("Idempotency-Key"), body)
	})
	for attempt := range 2 {
		got, err := b.send(t, http.Request{Method: "PUT", URL: "/x?y=1", Headers: map[string]string{"x-api-key": "k"}, Body: "hello"},
			func(t *job.Task) { t.ID, t.Attempt = id, attempt+1 })
		want := "PUT /x?y=1 k " + id.String() + " hello"
		if err != nil || got.Status != 201 || got.Body != want || got.Size != int64(len(want)) || got.Truncated || got.URL != b.server.URL+"/x?y=1" {
			t.Errorf("answer %+v, %v; want the body %q", got, err, want)
		}
		if two := got.Headers["X-Two"]; len(two) != 2 {
			t.Errorf("header X-Two is %q", two)
		}
	}
	got, err := b.send(t, http.Request{URL: "/", Headers: map[string]string{"Idempotency-Key": "mine"}})
	if err != nil || !strings.Contains(got.Body, " mine ") {
		t.Errorf("the caller's Idempotency-Key is lost: %q, %v", got.Body, err)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header string
		expect []int
		again  bool
		after  time.Duration
		want   string // "" completes
	}{
		"ok":                    {200, "", nil, false, 0, ""},
		"no content":            {204, "", nil, false, 0, ""},
		"not found":             {404, "", nil, false, 0, "answered 404 Not Found; expected 200 to 299"},
		"expected not found":    {404, "", []int{200, 404}, false, 0, ""},
		"unexpected ok":         {200, "", []int{202, 404}, false, 0, "answered 200 OK; expected 202, 404"},
		"too many":              {429, "7", nil, true, 7 * time.Second, "answered 429"},
		"a date in the past":    {503, "Wed, 21 Oct 2015 07:28:00 GMT", nil, true, 0, "answered 503"},
		"no header":             {500, "", nil, true, 0, "answered 500"},
		"a header of nonsense":  {502, "soon", nil, true, 0, "answered 502"},
		"a header of a century": {503, "3153600000", nil, true, 24 * time.Hour, "answered 503"},
		"a final 5xx":           {501, "9", nil, false, 0, "answered 501"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
			})
			got, err := b.send(t, http.Request{URL: "/secret?token=secret", ExpectStatus: c.expect})
			if c.want == "" {
				if err != nil || got.Status != c.status {
					t.Errorf("answer %+v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Fatalf("error %v, want one with %q and without the path", err, c.want)
			}
			after, again := job.RetryAfter(err, 1)
			if again != c.again || c.after != 0 && after != c.after || again && c.after == 0 && (after < 2*time.Second || after > 5*time.Second) {
				t.Errorf("again %t after %s, want %t after %s (0 is the first backoff)", again, after, c.again, c.after)
			}
		})
	}
}

func TestARetryAfterMayBeADate(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(nethttp.TimeFormat))
		w.WriteHeader(503)
	})
	_, err := b.send(t, http.Request{URL: "/"})
	if after, again := job.RetryAfter(err, 1); !again || after < 58*time.Minute || after > time.Hour {
		t.Errorf("again %t after %s", again, after)
	}
}

func TestAServerThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]nethttp.HandlerFunc{
		"before the answer": func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() },
		"within the body": func(w nethttp.ResponseWriter, r *nethttp.Request) {
			_, _ = io.WriteString(w, "half an")
			_ = nethttp.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"sending slowly": func(w nethttp.ResponseWriter, r *nethttp.Request) {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-tick.C:
				}
				_, _ = io.WriteString(w, ".")
				_ = nethttp.NewResponseController(w).Flush()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, handler)
			began := time.Now()
			_, err := b.send(t, http.Request{URL: "/", Timeout: 1})
			if _, again := job.RetryAfter(err, 1); !again || !strings.Contains(err.Error(), "no whole answer within the time-out") {
				t.Errorf("error %v, again %t", err, again)
			}
			if took := time.Since(began); took < time.Second || took > 20*time.Second {
				t.Errorf("took %s, want the second of the time-out", took)
			}
		})
	}
}

func TestTheEndOfTheTaskEndsTheRequest(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	b := setup(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		close(asked)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	deleted := errors.New("deleted")
	go func() {
		<-asked
		cancel(deleted)
	}()
	if _, err := jobtest.Run[http.Result](ctx, b.job, http.Request{URL: b.server.URL}); !errors.Is(err, deleted) {
		t.Errorf("error %v, want the context's cause", err)
	}
}

func TestACutAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"before the head": "",
		"in the head":     "HTTP/1.1 200 OK\r\nContent-Le",
		"in the body":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf an answer",
		"in a chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
		"no HTTP":         "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"endless head":    "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 4096))
					_, _ = io.WriteString(c, answer)
					_ = c.Close()
				}
			}()
			t.Cleanup(func() { _ = listener.Close(); <-served })
			j := http.New(http.Settings{Allow: func(netip.AddrPort) bool { return true }})
			_, err = jobtest.Run[http.Result](t.Context(), j, http.Request{URL: "http://" + listener.Addr().String() + "/secret"})
			if _, again := job.RetryAfter(err, 1); !again || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, again %t", err, again)
			}
		})
	}
}

func TestALargeBodyIsCut(t *testing.T) {
	t.Parallel()
	serve := func(body []byte, length bool) nethttp.HandlerFunc {
		return func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			if length {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			}
			_, _ = w.Write(body)
		}
	}
	text := bytes.Repeat([]byte("ä"), http.MaxBody) // 2 bytes each
	odd := append([]byte("x"), text...)             // whose last kept byte begins a character
	for name, c := range map[string]struct {
		handler   nethttp.HandlerFunc
		kept      int
		size      int64
		truncated bool
		binary    bool
	}{
		"exactly":        {serve(text[:http.MaxBody], true), http.MaxBody, http.MaxBody, false, false},
		"one more":       {serve(bytes.Repeat([]byte("x"), http.MaxBody+1), true), http.MaxBody, http.MaxBody + 1, true, false},
		"without length": {serve(text, false), http.MaxBody, http.MaxBody, true, false},
		"in a character": {serve(odd, true), http.MaxBody - 1, int64(len(odd)), true, false},
		"binary":         {serve(bytes.Repeat([]byte{0xff, 0}, http.MaxBody), true), http.MaxBody, 2 * http.MaxBody, true, true},
		"NUL":            {serve([]byte("a\x00b"), true), 3, 3, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := setup(t, c.handler).send(t, http.Request{URL: "/"})
			if err != nil {
				t.Fatal(err)
			}
			kept := len(got.Body)
			if c.binary {
				kept = len(got.BodyBase64)
			}
			if kept != c.kept || got.Size != c.size || got.Truncated != c.truncated {
				t.Errorf("kept %d bytes, size %d, truncated %t; want %d, %d, %t", kept, got.Size, got.Truncated, c.kept, c.size, c.truncated)
			}
		})
	}
}

func TestACompressedBombIsCut(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 8 { // 8 MiB in 8 KiB
		_, _ = z.Write(make([]byte, 1<<20))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := setup(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding is %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	got, err := b.send(t, http.Request{URL: "/"})
	if err != nil || !got.Truncated || len(got.BodyBase64) != http.MaxBody || got.Size != http.MaxBody {
		t.Errorf("kept %d bytes, size %d, truncated %t, %v", len(got.BodyBase64), got.Size, got.Truncated, err)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	other := setup(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		fmt.Fprintf(w, "%q %q %q %q", r.Header.Get("X-Api-Key"), r.Header.Get("Authorization"), r.Header.Get("Referer"), r.Header.Get("Content-Type"))
	})
	b := setup(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/loop":
			nethttp.Redirect(w, r, "/loop", 302)
		case "/once":
			nethttp.Redirect(w, r, "/end", 307)
		case "/end":
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("X-Api-Key"), body)
		case "/other":
			nethttp.Redirect(w, r, other.server.URL, 307)
		default:
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(302)
		}
	})
	secrets := map[string]string{"X-Api-Key": "secret", "Authorization": "secret", "Content-Type": "text/plain"}
	got, err := b.send(t, http.Request{Method: "POST", URL: "/once", Headers: secrets, Body: "again"})
	if err != nil || got.Body != "POST secret again" || got.URL != b.server.URL+"/end" {
		t.Errorf("answer %+v, %v", got, err)
	}
	both := http.New(http.Settings{Allow: func(netip.AddrPort) bool { return true }})
	got, err = jobtest.Run[http.Result](t.Context(), both, http.Request{URL: b.server.URL + "/other?token=secret", Headers: secrets})
	if want := `"" "" "" "text/plain"`; err != nil || got.Body != want {
		t.Errorf("another server got %s, %v; want %s", got.Body, err, want)
	}
	for path, want := range map[string]string{
		"/loop":                                      "redirect refused: more than 5",
		"/?to=ftp://example.com":                     `redirect refused: it leads to the scheme "ftp"`,
		"/?to=file:///etc/passwd":                    `redirect refused: it leads to the scheme "file"`,
		"/?to=http://169.254.169.254/token":          "169.254.169.254:80: HttpAllow does not name it: the address is not public",
		"/?to=http://[fd00:ec2::254]/token":          "[fd00:ec2::254]:80: HttpAllow does not name it: the address is not public",
		"/?to=http://[::ffff:169.254.169.254]/token": "169.254.169.254:80: HttpAllow does not name it: the address is not public",
		"/?to=http://localhost:1/":                   "1: HttpAllow does not name it: the address is not public",
		"/other":                                     "HttpAllow does not name it: the address is not public",
	} {
		_, err := b.send(t, http.Request{URL: path})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if _, again := job.RetryAfter(err, 1); again {
			t.Errorf("%s is tried again", path)
		}
	}
}

// TestNoProxyIsUsed: a proxy would reach for the job what the dialer refuses.
// TestErrorsDoNotQuoteTheAnswer checks that an answer that net/http cannot read does not put its secrets into the error,
// which the task keeps and the worker logs.
func TestErrorsDoNotQuoteTheAnswer(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"HTTP/1.1 302 Found\r\nLocation: http://x/%zz?token=secret\r\n\r\n": "failed to parse Location header",
		"HTTP/1.1 200 OK\r\nSet-Cookie secret\r\n\r\n":                      "malformed MIME header: missing colon",
		"secret\r\n\r\n": "malformed HTTP",
	} {
		b := setup(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			conn, _, err := nethttp.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte(answer))
		})
		_, err := b.send(t, http.Request{URL: "/"})
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want %q and no secret", err, want)
		}
	}
}

func TestNoProxyIsUsed(t *testing.T) {
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	j := http.New(http.Settings{})
	if _, err := jobtest.Run[http.Result](t.Context(), j, http.Request{URL: "http://10.255.255.1/"}); !errors.Is(err, http.ErrForbidden) {
		t.Errorf("error %v, want that the address is not public", err)
	}
}

func TestWrongRequestsAreRefusedAtTheSubmission(t *testing.T) {
	t.Parallel()
	j := http.New(http.Settings{})
	for payload, want := range map[string]string{
		``:                            "/url is missing",
		`{"url":"ftp://example.com"}`: "/url has another form; allowed is ^https?://",
		`{"url":"https://"}`:          "/url has no host",
		`{"url":"http://:80/"}`:       "/url has no host",
		`{"url":"http://user:secret@example.com"}`:       "/url has a user or a password; put them into the header Authorization",
		`{"url":"http://x","method":"get"}`:              `/method is another value; allowed are "GET", "HEAD"`,
		`{"url":"http://x","timeout":0}`:                 "/timeout is out of range; allowed are numbers from 1",
		`{"url":"http://x","timeout":301}`:               "/timeout is out of range; allowed are numbers up to 300",
		`{"url":"http://x","headers":{"a b":""}}`:        "/headers/a b is no name of a header field",
		`{"url":"http://x","headers":{"host":"y"}}`:      "/headers/host belongs to the connection and cannot be set",
		`{"url":"http://x","headers":{"a":"x\r\nb: y"}}`: "/headers/a has characters that a header field cannot carry",
		`{"url":"http://x","headers":{"a":"","A":""}}`:   "stands twice, in another case",
		`{"url":"http://x","expect_status":[99]}`:        "/expect_status/0 is 99; allowed are 200 to 599",
		`{"url":"http://x","expect_status":[1e30]}`:      "/expect_status",
		`{"url":"http://x","body":{}}`:                   "/body is an object; allowed is a string",
	} {
		if err := j.Validate([]byte(payload)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s:\n got %v\nwant %s", payload, err, want)
		}
	}
	if err := j.Validate([]byte(`{"method":"POST","url":"https://example.com/x","headers":{"Authorization":"Bearer x"},"body":"{}","timeout":5,"expect_status":[200,404]}`)); err != nil {
		t.Error(err)
	}
}

// FuzzRequest looks for a request that the submission takes and that panics, or reaches a loopback address.
func FuzzRequest(f *testing.F) {
	reached := make(chan string, 1)
	server := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		select {
		case reached <- r.URL.String():
		default:
		}
	}))
	f.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	j := http.New(http.Settings{})
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "[::]", "0.0.0.0", "0", "127.1", "[::127.0.0.1]", "[fe80::1%25lo]"} {
		f.Add(host, "/x?y", "X-A", "b")
	}
	f.Fuzz(func(t *testing.T, host, path, name, value string) {
		r := http.Request{URL: "http://" + host + ":" + port + path, Headers: map[string]string{name: value}, Timeout: 1}
		if len(r.Check()) > 0 {
			return
		}
		if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "0" && host != "127.1" || err == nil && a.IsGlobalUnicast() && !a.IsPrivate() {
			return // a name would be looked up, and another machine asked
		}
		_, err := jobtest.Run[http.Result](t.Context(), j, r)
		if err == nil {
			t.Errorf("%s was reached", r.URL)
		}
		select {
		case url := <-reached:
			t.Errorf("%s reached the server as %s", r.URL, url)
		default:
		}
	})
}
