package clickhouse

import "testing"

// TestReserve checks that address and password are known before the start.
func TestReserve(t *testing.T) {
	t.Parallel()
	o := options(t)
	r, err := Reserve(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Start(t.Context(), o.Processes, o.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer closeServer(t, c)
	if c.Address() != r.Address() || c.Password() != r.Password() || c.Username() != r.Username() || c.Database() != r.Database() {
		t.Errorf("the server is at %s, reserved was %s; or its account is another", c.Address(), r.Address())
	}
	if answer, err := ask(c, r.Password(), "SELECT 'here'"); err != nil || answer != "here" {
		t.Errorf("it answers %q, %v", answer, err)
	}
}
