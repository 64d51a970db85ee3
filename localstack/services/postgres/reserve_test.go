package postgres

import (
	"net"
	"net/url"
	"testing"
)

// TestReserve checks that the URL is known before the first start and before every later one, and that nobody else gets
// the port meanwhile.
func TestReserve(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Database = "demo"
	for range 2 {
		r, err := Reserve(o)
		if err != nil {
			t.Fatal(err)
		}
		reserved := r.URL()
		u, err := url.Parse(reserved)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := net.Listen("tcp4", u.Host); err == nil {
			_ = l.Close()
			t.Errorf("the port of %s is free for others", u.Host)
		}
		s, err := r.Start(t.Context(), o.Processes, o.Log)
		if err != nil {
			t.Fatal(err)
		}
		if s.URL() != reserved {
			t.Errorf("the server is at another URL than the reserved one, %s", u.Host)
		}
		if got := query(t, reserved, "SELECT current_database()::text"); got != "demo" {
			t.Errorf("the database is %s", got)
		}
		closeServer(t, s)
	}
	r, err := Reserve(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
	u, _ := url.Parse(r.URL())
	l, err := net.Listen("tcp4", u.Host)
	if err != nil {
		t.Errorf("a released port: %v", err)
	} else {
		_ = l.Close()
	}
}
