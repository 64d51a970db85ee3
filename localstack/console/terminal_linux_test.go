package console

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns a pseudo-terminal of so many columns: the side of a program and the side of the person.
func openTerminal(t *testing.T, columns uint16) (program, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return program, person
}

// TestTerminal shows what a person sees at a terminal of 40 columns, with colors and without.
func TestTerminal(t *testing.T) {
	for name, test := range map[string]struct {
		noColor, term string
		columns       uint16
		want          []string
	}{
		"colors": {"", "xterm", 80, []string{
			"\x1b[90mbuild …\x1b[0m",
			"\r\x1b[K\x1b[90m03:04:05 \x1b[0m\x1b[34mApi     \x1b[0m\x1b[33mWARN\x1b[0m careful\x1b[90m n=\x1b[0m1",
			"\x1b[90mbuild …\x1b[0m\r\x1b[K\x1b[90m03:04:05 \x1b[0m\x1b[34mApi     \x1b[0mGET /items/0123456789/status \x1b[32m200\x1b[0m\x1b[90m 1ms\x1b[0m",
		}},
		"NO_COLOR, narrow": {"1", "xterm", 40, []string{
			"build …",
			"\r\x1b[KApi     WARN careful n=1",
			"build …\r\x1b[KApi     GET /items/01…789/status 200 1ms",
		}},
		"a dumb terminal": {"", "dumb", 80, []string{
			"03:04:05 stack   build …",
			"03:04:05 Api     WARN careful n=1",
			"03:04:05 Api     GET /items/0123456789/status 200 1ms",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_COLOR", test.noColor)
			t.Setenv("TERM", test.term)
			program, person := openTerminal(t, test.columns)
			c := New(program, Options{Now: now})
			_ = c.Timed("build", func() error {
				c.Log("Api", []byte(`{"level":"WARN","msg":"careful","n":1}`))
				c.Invoked("Api", []byte(`{"httpMethod":"GET","path":"/items/0123456789/status"}`), []byte(`{"statusCode":200}`), false, time.Millisecond)
				return os.ErrInvalid
			})
			c.Print("end\n")
			lines := bufio.NewReader(person)
			var got strings.Builder
			for !strings.HasSuffix(got.String(), "end\n") {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString(strings.ReplaceAll(line, "\r\n", "\n"))
			}
			out := got.String()
			for _, want := range test.want {
				before, after, found := strings.Cut(out, want)
				if !found || strings.Trim(before, "\n") != "" {
					t.Fatalf("the terminal shows %q, want next %q", out, want)
				}
				out = after
			}
		})
	}
}
