package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// member is one of a JSON object's: its value where that is a string, and as it is shown.
type member struct{ name, text, shown string }

// recurring are the members that are the same in many lines, by the names that loggers give them: they stand last.
var recurring = map[string]bool{
	"function": true, "function_name": true, "version": true, "source": true, "location": true, "logger": true,
	"request_id": true, "requestId": true, "function_request_id": true, "trace_id": true, "xray_trace_id": true,
}

// messageColumn is where a line's members begin, unless its message is longer.
const messageColumn = 40

// readable makes of a structured log line what a person reads at a terminal: time, level, message, members. Such a line is
// a JSON object with a level and a message, as slog and Lambda's own JSON format have them. Any other stays as it is.
func readable(line []byte, color bool) []byte {
	if len(line) == 0 || line[0] != '{' {
		return line
	}
	members, ok := membersOf(line)
	if !ok {
		return line
	}
	var at, level, message string
	var own, shared []member
	for _, m := range members {
		switch {
		case m.name == "time" || m.name == "timestamp":
			at = m.text
		case m.name == "level":
			level = m.text
		case m.name == "msg" || m.name == "message":
			message = m.text
			if strings.ContainsAny(message, "\n\r\x1b") { // a line stays one, and what it has does not steer the terminal
				message = m.shown
			}
		case recurring[m.name]:
			shared = append(shared, m)
		default:
			own = append(own, m)
		}
	}
	if level == "" || message == "" {
		return line
	}
	paint := func(code, text string) string {
		if !color {
			return text
		}
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	var b strings.Builder
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		at = t.Local().Format("15:04:05.000")
	}
	fmt.Fprintf(&b, "%s %s %s", paint("90", at), paint(levelColor(level), fmt.Sprintf("%-5s", level)), message)
	if missing := messageColumn - utf8.RuneCountInString(message); missing > 0 && len(members) > 3 {
		b.WriteString(strings.Repeat(" ", missing))
	}
	for _, m := range own {
		b.WriteString(" " + paint("90", m.name+"=") + m.shown)
	}
	for _, m := range shared {
		b.WriteString(" " + paint("90", m.name+"="+m.shown))
	}
	return []byte(b.String())
}

// membersOf reads a JSON object in its order: strings without quotes where they need none, everything else as JSON.
func membersOf(line []byte) (list []member, ok bool) {
	if !json.Valid(line) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(line))
	_, _ = d.Token() // it is valid, so that no error comes
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		m := member{name: fmt.Sprint(name), shown: string(value)}
		if value[0] == '"' {
			_ = json.Unmarshal(value, &m.text)
			m.shown = quoted(m.text)
		}
		list = append(list, m)
	}
	return list, true
}

func levelColor(level string) string {
	switch strings.ToUpper(level) {
	case "ERROR", "FATAL", "CRITICAL":
		return "31"
	case "WARN", "WARNING":
		return "33"
	case "INFO":
		return "32"
	default:
		return "34"
	}
}

// quoted is a value, in quotes where it would not be seen where it ends.
func quoted(value string) string {
	if value == "" || strings.ContainsAny(value, " \t\n\r\x1b") {
		return strconv.Quote(value)
	}
	return value
}
