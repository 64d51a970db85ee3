package listen

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// net/http keeps a connection whose request it did not read to the end for another 500 ms, even after Server.Close.
	// The goroutine ends by itself.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// bundle is one open port.
type bundle struct {
	*testing.T
	port *Port
}

// setup opens a port; the end of the test closes it.
func setup(t *testing.T, o Options, h http.Handler) *bundle {
	t.Helper()
	port, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := port.Close(t.Context()); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	if h != nil {
		port.Serve(h)
	}
	return &bundle{t, port}
}

// answer is a response with its body.
type answer struct {
	*http.Response
	body string
}

// raw sends bytes as they are, closes its half of the connection if half is set, and reads one answer.
func (b *bundle) raw(request string, half bool) answer {
	b.Helper()
	conn := b.dial()
	if _, err := io.WriteString(conn, request); err != nil {
		b.Fatal(err)
	}
	if half {
		if err := conn.CloseWrite(); err != nil {
			b.Fatal(err)
		}
	}
	return b.read(bufio.NewReader(conn), request)
}

func (b *bundle) dial() *net.TCPConn {
	b.Helper()
	conn, err := net.Dial("tcp", b.port.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		b.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func (b *bundle) read(from *bufio.Reader, request string) answer {
	b.Helper()
	method, _, _ := strings.Cut(request, " ")
	r, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		b.Fatalf("%.80q: no answer: %v", request, err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		b.Fatalf("%.80q: answer %s is cut: %v", request, r.Status, err)
	}
	return answer{r, string(text)}
}

// ok answers 202.
var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })

// reads answers 202 if it can read the body, else with BodyStatus.
var reads = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		http.Error(w, err.Error(), BodyStatus(err))
		return
	}
	w.WriteHeader(http.StatusAccepted)
})
