package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"plain\ttext\nand more\n":     "plain\ttext\nand more\n",
		"größer → 😀 👩‍👩‍👧":            "größer → 😀 👩‍👩‍👧",
		"\x1b]0;title\a\x1b[2J\r\x00": `\u001b]0;title\u0007\u001b[2J\r\u0000`,
		"\x7f\u009b31m\u0085\x9b\xff": `\u007f\u009b31m\u0085\x9b\xff`,
		"\u202eabc\u2066\u2028":       `\u202eabc\u2066\u2028`,
	} {
		if got := Clean(text); got != want {
			t.Errorf("Clean(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestCleanKeepsJSON checks that a JSON text keeps its value, whatever characters JSON allows in strings.
func TestCleanKeepsJSON(t *testing.T) {
	t.Parallel()
	text := "a\x7f\u0085\u009b\u202e\u2028\t\n"
	line, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal(appendClean(nil, line), &got); err != nil || got != text {
		t.Errorf("%q, %v; want %q", got, err, text)
	}
}

// show writes hostile text through every entry of a console.
func show(c *Console, text []byte) {
	c.Log("f", text)
	c.Log(string(text), text)
	c.Step(string(text), "%s", text)
	c.Print(string(text))
	c.Invoked(string(text), text, text, true, time.Second)
	inner, _ := json.Marshal(strings.ToValidUTF8(string(text), "?"))
	for _, form := range []string{
		`{"time":%,"level":%,"msg":%,%:%}`, `{"severity":%,"message":"m","error":[%,%]}`, `{"msg":"m","function":%,"o":{%:[%]}}`,
	} {
		c.Log("", bytes.ReplaceAll([]byte(form), []byte("%"), inner))
	}
	for _, form := range []string{
		`{"httpMethod":%,"path":%}`, `{"requestContext":{"http":{"method":%,"path":%}}}`, `{"RequestType":%,"LogicalResourceId":%}`,
	} {
		event := bytes.ReplaceAll([]byte(form), []byte("%"), inner)
		c.Invoked("f", event, bytes.ReplaceAll([]byte(`{"errorType":%}`), []byte("%"), inner), true, time.Second)
	}
	_ = c.Timed(string(text), func() error { return nil })
}

// checkClean reports characters that control a terminal, except the console's own sequences.
func checkClean(t *testing.T, out string) {
	t.Helper()
	for _, own := range []string{eraseLine, "\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m", "\x1b[90m"} {
		out = strings.ReplaceAll(out, own, "")
	}
	if !utf8.ValidString(out) {
		t.Errorf("the output is not UTF-8: %q", out)
	}
	for line := range strings.SplitSeq(out, "\n") {
		if i := strings.IndexFunc(line, steers); i >= 0 {
			t.Errorf("a control character in %q", line)
		}
	}
}

func TestHostileLines(t *testing.T) {
	t.Parallel()
	var hostile []byte
	for b := range 256 {
		hostile = append(hostile, byte(b))
	}
	hostile = append(hostile, "\u0085\u009b\u202e\u2066"...)
	for _, color := range []bool{false, true} {
		for _, format := range []bool{false, true} {
			var out bytes.Buffer
			c := New(&out, Options{Format: format})
			c.terminal.color, c.terminal.live = color, color
			show(c, hostile)
			checkClean(t, out.String())
			if out.Len() < 1000 {
				t.Errorf("only %q is shown", out.String())
			}
		}
	}
}

// FuzzLines writes lines of a function through the console, and checks that no character controls the terminal.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"", "hello", "\x1b[2J", `{"level":"INFO","msg":"m","time":"2026-01-02T03:04:05Z"}`, `{"level":"\u001b[2J","msg":"\u009b","time":"\u0007","\u007f":1}`,
		`{"level":30,"time":1e300,"msg":{"a":[1,2]}}`, `{"error":["a",1],"msg":""}`, `{"_aws":{}}`, "REPORT RequestId: \x00",
		`{"httpMethod":"GET","path":"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/a/b/c/d/e/f"}`, "{\"msg\":\"\x7f\u202e\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		c := New(&out, Options{Format: true})
		c.terminal.color, c.terminal.live = true, true
		show(c, text)
		checkClean(t, out.String())
	})
}
