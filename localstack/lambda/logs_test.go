package lambda

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestAnInvocationInTheLog(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", MemorySize: 256, Environment: map[string]string{"SAY": "hello"}}})
	cold := r.invoke("f", deed{Do: "say", Text: "one\ntwo\r\nno end"})
	warm := r.invoke("f", deed{Do: "say", Text: "\n"})
	memory := `\tMax Memory Used: [1-9]\d* MB`
	if maxrssUnit == 1 { // not Linux
		memory = ""
	}
	want := []string{
		`hello`,
		`START RequestId: ` + cold.RequestID + ` Version: \$LATEST`, `one`, `two`, `no end`,
		`END RequestId: ` + cold.RequestID,
		`REPORT RequestId: ` + cold.RequestID + `\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB` +
			memory + `\tInit Duration: \d+\.\d\d ms`,
		`START RequestId: ` + warm.RequestID + ` Version: \$LATEST`, ``,
		`END RequestId: ` + warm.RequestID,
		`REPORT RequestId: ` + warm.RequestID + `\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB` + memory,
	}
	got := r.lines.list()
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d: %q", len(got), len(want), got)
	}
	for i := range want {
		if !regexp.MustCompile(`^` + want[i] + `$`).MatchString(got[i]) {
			t.Errorf("line %d is %q, want %q", i, got[i], want[i])
		}
	}
	if tail := strings.Join(got[7:], "\n") + "\n"; string(warm.LogTail) != tail {
		t.Errorf("tail %q, want %q", warm.LogTail, tail)
	}
}

// TestLinesComeBeforeTheEnd checks the order of lines and the call of /next, which take different ways.
func TestLinesComeBeforeTheEnd(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f"}})
	text := strings.Repeat("a line of some length\n", 500)
	for range 30 {
		from := len(r.lines.list())
		r.invoke("f", deed{Do: "say", Text: text})
		got := r.lines.list()[from:]
		end := slices.IndexFunc(got, func(line string) bool { return strings.HasPrefix(line, "END ") })
		if end != 501 || len(got) != 503 {
			t.Fatalf("END is line %d of %d, want 501 of 503", end, len(got))
		}
	}
}

func TestSplittingLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", maxLine) // twice as many bytes
	tests := map[string]struct {
		text string
		want []string
	}{
		"lines":         {"a\nb\n\nc", []string{"a", "b", "", "c"}},
		"just a line":   {strings.Repeat("x", maxLine) + "\ny\n", []string{strings.Repeat("x", maxLine), "y"}},
		"a longer line": {strings.Repeat("x", maxLine) + "z\ny\n", []string{strings.Repeat("x", maxLine), "z", "y"}},
		"characters":    {"x" + long + "\n", []string{"x" + long[:maxLine-2], long[maxLine-2 : 2*maxLine-2], "é"}},
		"no text":       {"\xff\xfe\n", []string{"\xff\xfe"}},
	}
	for name, test := range tests {
		for _, piece := range []int{1 << 20, 8<<10 - 1, 1} {
			t.Run(fmt.Sprint(name, piece), func(t *testing.T) {
				t.Parallel()
				var got []string
				l := &logs{emit: func(_ string, line []byte) { got = append(got, string(line)) }}
				for rest := []byte(test.text); len(rest) > 0; {
					n := min(piece, len(rest))
					l.split(rest[:n])
					rest = rest[n:]
				}
				if len(l.partial) > 0 {
					l.flush()
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("got %d lines, want %d: %.100q", len(got), len(test.want), got)
				}
				for _, line := range got {
					if name == "characters" && !utf8.ValidString(line) {
						t.Error("a character was cut")
					}
				}
			})
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	var whole strings.Builder
	var log tail
	for i := range 3000 {
		line := fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%300))
		log.add([]byte(line))
		whole.WriteString(line + "\n")
		want := whole.String()
		want = want[max(0, len(want)-tailSize):]
		if got := string(log.bytes()); got != want {
			t.Fatalf("after line %d: got %q, want %q", i, got, want)
		}
	}
	log.add([]byte(strings.Repeat("y", 3*tailSize)))
	if got := string(log.bytes()); got != strings.Repeat("y", tailSize-1)+"\n" {
		t.Errorf("after a long line: %d bytes, %.50q", len(got), got)
	}
	log.reset()
	for _, line := range []string{"a", "b", "c"} {
		log.add([]byte(line))
	}
	for count, want := range map[int]string{1: "c\n", 2: "b\nc\n", 3: "a\nb\nc\n", 9: "a\nb\nc\n"} {
		if got := log.lines(count); got != want {
			t.Errorf("last %d: %q, want %q", count, got, want)
		}
	}
}

func TestReadingALog(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	collected := newLines()
	l, err := readLogs(reader, "f", collected.add)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		fmt.Fprintln(writer, "line", i)
		l.drain()
		if got := collected.list(); len(got) != i+1 {
			t.Fatalf("%d of %d lines came", len(got), i+1)
		}
	}
	_ = writer.Close()
	l.close()
	l.drain() // of a closed pipe
}
