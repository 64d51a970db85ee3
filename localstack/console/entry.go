package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
)

// recurring are members, by the names that loggers give them, that are the same in many lines: a terminal shows the
// function in front of the line, and the others only in detail.
var recurring = []string{
	"function", "function_name", "functionName", "version", "function_version", "source", "caller", "location", "logger",
	"request_id", "requestId", "function_request_id", "message_id", "messageId", "trace_id", "traceId", "span_id", "xray_trace_id", "xRayTraceId",
}

// entry is a structured log line: a JSON object with a level or a message, as slog, zap, zerolog, pino, Powertools and
// the JSON format of Lambda write it.
type entry struct {
	at       time.Time // zero if the line has none that can be read
	when     string    // the time as the line has it
	level    slog.Level
	label    string // the level's name; empty if the line has none
	message  string
	function string
	members  []member
	metrics  bool // CloudWatch's embedded metric format
}

// member is one of the other members: its value as it is shown.
type member struct{ name, value string }

// parse reads a log line. It reports whether the line is structured.
func parse(line []byte) (e entry, ok bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' || !json.Valid(line) {
		return entry{}, false
	}
	d := json.NewDecoder(bytes.NewReader(line))
	_, _ = d.Token() // the line is valid: no error comes
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		e.add(name.(string), value)
	}
	return e, e.label != "" || e.message != "" || e.metrics
}

// add takes a member of the object. Of several that mean the same, the first counts.
func (e *entry) add(name string, value json.RawMessage) {
	switch text := shown(name, value); {
	case name == "_aws":
		e.metrics = true
	case e.when == "" && (name == "time" || name == "timestamp" || name == "ts" || name == "@timestamp"):
		e.when, e.at = text, timeOf(text)
	case e.label == "" && (name == "level" || name == "severity" || name == "lvl"):
		e.level, e.label = levelOf(text)
	case e.message == "" && (name == "msg" || name == "message"):
		e.message = text
	default:
		if name == "function" || name == "function_name" {
			e.function = text
		}
		e.members = append(e.members, member{name, text})
	}
}

// shown is a value for a person: a string as it is, the layers of an error as one text, everything else as JSON.
func shown(name string, value json.RawMessage) string {
	var text string
	if value[0] == '"' && json.Unmarshal(value, &text) == nil {
		return text
	}
	var layers []string
	if (name == "error" || name == "err") && value[0] == '[' && json.Unmarshal(value, &layers) == nil {
		return strings.Join(layers, ": ")
	}
	return string(value)
}

// timeOf reads RFC 3339, and the seconds or milliseconds since 1970 that some loggers write.
func timeOf(text string) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n >= 1e8 && n < 1e14):
		return time.Time{}
	case n < 1e11:
		n *= 1e3
	}
	return time.UnixMilli(int64(math.Round(n)))
}

// levelOf reads the level of a line and names it as slog does. Numbers are those of pino and bunyan; an unknown level
// counts as information.
func levelOf(text string) (slog.Level, string) {
	var level slog.Level
	if n, err := strconv.Atoi(text); err == nil {
		level = slog.Level(max(-2, min(n/10-3, 2)) * 4)
		return level, level.String()
	}
	name := strings.ToUpper(text)
	switch name {
	case "TRACE":
		return slog.LevelDebug - 4, name
	case "NOTICE":
		return slog.LevelInfo, name
	case "WARNING":
		return slog.LevelWarn, "WARN"
	case "FATAL", "CRITICAL", "PANIC", "DPANIC", "ALERT", "EMERGENCY":
		return slog.LevelError, name
	}
	if err := level.UnmarshalText([]byte(name)); err != nil {
		level = slog.LevelInfo
	}
	return level, name
}

// Level reads a level as LOG_LEVEL has it: debug, info, warn or error, in any case. Empty is info.
func Level(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "debug", "trace":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error", "fatal":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("LOG_LEVEL is %q; allowed are debug, info, warn, error", text)
}

// clock is the local time of day.
func (e entry) clock() string {
	if e.at.IsZero() {
		return e.when
	}
	return e.at.Local().Format(time.TimeOnly)
}

// spans are the line's text: the level unless it is INFO, the message and the members that are not hidden.
func (e entry) spans(hides func(string) bool) (list []span) {
	if e.label != "" && e.label != "INFO" {
		list = append(list, span{levelColor(e.level), []byte(e.label)}, span{text: []byte(" ")})
	}
	list = append(list, span{text: []byte(e.message)})
	for _, m := range e.members {
		if !hides(m.name) {
			list = append(list, span{grey, []byte(" " + m.name + "=")}, span{text: []byte(quoted(m.value))})
		}
	}
	return list
}

func levelColor(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return red
	case level >= slog.LevelWarn:
		return yellow
	case level >= slog.LevelInfo:
		return green
	default:
		return blue
	}
}

// quoted is a value, in quotes if its end could not be seen otherwise. JSON, also that of a string, stays as it is.
func quoted(value string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || r == '\t' || steers(r) }
	if value == "" || strings.ContainsFunc(value, odd) && !json.Valid([]byte(value)) {
		return strconv.Quote(value)
	}
	return value
}
