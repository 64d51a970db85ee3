package netfault

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers each line with its own name before it, and returns its address.
func server(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					_, _ = io.WriteString(conn, name+" "+lines.Text()+"\n")
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func listen(t *testing.T, to string) *Proxy {
	t.Helper()
	p, err := Listen(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// connection is a client's.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) connection {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return connection{conn, bufio.NewReader(conn)}
}

// ask returns the answer to a line, or "" when the connection ended.
func (c connection) ask(line string) string {
	_, _ = io.WriteString(c, line+"\n") // where it is cut, the read says so
	answer, _ := c.in.ReadString('\n')
	return strings.TrimSpace(answer)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	p := listen(t, server(t, "a"))
	c := dial(t, p.Address())
	if trips := p.RoundTrips(func() { c.ask("1"); c.ask("2"); c.ask("3") }); trips != 2 { // the first line follows nothing
		t.Errorf("%d round trips after the first line, want 2", trips)
	}
	p.Cut()
	if got := c.ask("4"); got != "" {
		t.Errorf("a cut connection answers %q", got)
	}
	if got := dial(t, p.Address()).ask("5"); got != "a 5" {
		t.Errorf("a new one answers %q", got)
	}
	p.LoseAnswers(1)
	if got := dial(t, p.Address()).ask("6"); got != "" {
		t.Errorf("the lost answer is %q", got)
	}
	if got := dial(t, p.Address()).ask("7"); got != "a 7" {
		t.Errorf("the next answer is %q", got)
	}
	p.Redirect(server(t, "b"))
	if got := dial(t, p.Address()).ask("8"); got != "b 8" {
		t.Errorf("the other server answers %q", got)
	}
	p.Redirect("127.0.0.1:1")
	if got := dial(t, p.Address()).ask("9"); got != "" {
		t.Errorf("nobody answers %q", got)
	}
	p.Refuse()
	if conn, err := net.Dial("tcp", p.Address()); err == nil {
		_ = conn.Close()
		t.Error("a proxy that refuses takes connections")
	} else if !errors.As(err, new(*net.OpError)) {
		t.Error(err)
	}
}

func TestHangAndMute(t *testing.T) {
	t.Parallel()
	p := listen(t, server(t, "a"))
	c := dial(t, p.Address())
	p.Hang(true)
	answered := make(chan string)
	go func() { answered <- c.ask("1") }()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got != "" {
		t.Errorf("a proxy that hangs lets %q through", got)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.Hang(false)
	if got, _ := c.in.ReadString('\n'); got != "a 1\n" {
		t.Errorf("after the hang the answer is %q", got)
	}
	lost := make(chan string, 1)
	p.Mute(func(answer []byte) bool { lost <- string(answer); return true })
	_, _ = io.WriteString(c, "2\n")
	if got := <-lost; got != "a 2\n" {
		t.Errorf("lost %q", got)
	}
	p.Mute(nil)
	if got := c.ask("3"); got != "a 3" {
		t.Errorf("after the muted answer comes %q", got)
	}
	p.Hang(true) // and Close ends what hangs
	_, _ = io.WriteString(c, "4\n")
}
