package run

import "testing"

func TestTail(t *testing.T) {
	t.Parallel()
	var logged []string
	var out tail
	_, _ = out.Write([]byte("early\n"))
	out.follow(func(line string) { logged = append(logged, line) })
	for range tailLines {
		_, _ = out.Write([]byte("li"))
		_, _ = out.Write([]byte("ne\r\n"))
	}
	_, _ = out.Write([]byte("last"))
	if len(logged) != tailLines || logged[0] != "line" {
		t.Errorf("logged %q", logged)
	}
	want := ""
	for range tailLines {
		want += "line\n"
	}
	if got := out.String(); got != want+"last" {
		t.Errorf("the tail is %q", got)
	}
}
