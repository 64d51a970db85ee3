package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	in := `{"level":"INFO","msg":"one","function":"Api","request_id":"r","n":1,"secret":2}` + "\r\n" +
		`{"level":"DEBUG","msg":"two","function":"Api"}` + "\n" +
		"a line of text\n" +
		`{"level":"WARN","msg":"\u001b[2J","function":"WorkerFunction"}` // without its end
	for level, want := range map[string]string{
		"":     "         Api     one n=1\n                 a line of text\n         Worker  WARN \\u001b[2J\n",
		"warn": "                 a line of text\n         Worker  WARN \\u001b[2J\n",
	} {
		var out bytes.Buffer
		if err := run([]string{"--hide", "secret,more"}, level, strings.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("LOG_LEVEL=%s shows\n%s\nwant\n%s", level, out.String(), want)
		}
	}
	for _, test := range []struct{ args, level, want string }{{"x", "", `argument "x" is unknown`}, {"--hide=a", "loud", "LOG_LEVEL is"}} {
		if err := run([]string{test.args}, test.level, strings.NewReader(""), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("format %s: %v, want %q", test.args, err, test.want)
		}
	}
}
