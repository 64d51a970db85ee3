package console

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// narrow is the width in columns below which lines go without their time.
const narrow = 60

// eraseLine removes the line of the cursor.
const eraseLine = "\r\x1b[K"

// The colors of spans: parameters of SGR sequences that read well on dark and on light backgrounds.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	grey   = "90"
)

// span is a part of a line. An empty color is the terminal's own.
type span struct {
	color string
	text  []byte
}

func plain(text string) []span { return []span{{text: []byte(text)}} }

// colorOf tells functions apart.
func colorOf(function string) string {
	colors := [...]string{"36", "35", "34", "32"} // not those of levels that warn
	sum := 0
	for _, b := range []byte(function) {
		sum += int(b)
	}
	return colors[sum%len(colors)]
}

// terminal says what an output can show.
type terminal struct {
	is    bool // it is a terminal
	color bool // it shows colors
	live  bool // a line can be rewritten
	file  *os.File
}

// terminalOf looks at an output. NO_COLOR (https://no-color.org) turns colors off.
func terminalOf(out io.Writer) terminal {
	file, ok := out.(*os.File)
	if !ok {
		return terminal{}
	}
	if _, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err != nil {
		return terminal{}
	}
	live := os.Getenv("TERM") != "dumb"
	return terminal{is: true, live: live, color: live && os.Getenv("NO_COLOR") == "", file: file}
}

// width is the number of columns; 80 if the output does not say.
func (t terminal) width() int {
	if t.file != nil {
		if size, err := unix.IoctlGetWinsize(int(t.file.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}
