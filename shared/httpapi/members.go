package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// memberReader reads the members of a JSON object, each once, and collects the problems.
type memberReader struct {
	members  map[string]json.RawMessage
	read     []string
	problems invalid
}

func (m *memberReader) say(pointer, format string, args ...any) {
	fragment := url.URL{Fragment: pointer}
	m.problems = append(m.problems, invalidMember{fmt.Sprintf(format, args...), "#" + fragment.EscapedFragment()})
}

func (m *memberReader) has(name string) bool {
	_, there := m.members[name]
	return there
}

// raw returns a member unchanged, and reports whether it is present.
func (m *memberReader) raw(name string, to *json.RawMessage) bool {
	m.read = append(m.read, name)
	value, there := m.members[name]
	*to = value
	return there
}

// decode reads a present member as to's type, and reports whether it could. allowed is for the problem.
func (m *memberReader) decode(name, allowed string, to any) bool {
	var value json.RawMessage
	if !m.raw(name, &value) {
		return false
	}
	if string(value) == "null" || json.Unmarshal(value, to) != nil {
		m.say("/"+name, "is %s; allowed is %s", shown(value), allowed)
		return false
	}
	return true
}

// shown returns a value for a problem.
func shown(value json.RawMessage) string {
	switch {
	case value[0] == '{' || value[0] == '[':
		return "a JSON " + kind(value[0])
	case len(value) > 40:
		return "a long " + kind(value[0])
	}
	return string(value)
}

func (m *memberReader) text(name string, to *string) {
	if m.decode(name, "a string", to) && *to == "" {
		m.say("/"+name, "is empty")
	}
}

func (m *memberReader) whole(name, unit string, to *int, least, most int) {
	allowed := fmt.Sprintf("a whole number%s from %d to %d", unit, least, most)
	if m.decode(name, allowed, to) && (*to < least || *to > most) {
		m.say("/"+name, "is %d; allowed is %s", *to, allowed)
	}
}

func (m *memberReader) seconds(name string, to *time.Duration, least, most time.Duration) {
	var n int
	m.whole(name, " of seconds", &n, int(least/time.Second), int(most/time.Second))
	*to = time.Duration(n) * time.Second
}

func (m *memberReader) moment(name string, to *time.Time) {
	const allowed = "a time such as 2026-01-02T03:04:05Z (RFC 3339)"
	var text string
	if !m.decode(name, allowed, &text) {
		return
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		m.say("/"+name, "is %s; allowed is %s", shown(m.members[name]), allowed)
	case time.Until(at) > maxAhead:
		m.say("/"+name, "is more than 365 days ahead")
	case at.Year() < 1:
		m.say("/"+name, "is before the year 1")
	}
	*to = at.UTC()
}

// rest refuses unknown members.
func (m *memberReader) rest(allowed string) {
	for _, name := range slices.Sorted(maps.Keys(m.members)) {
		if !slices.Contains(m.read, name) {
			m.say("/"+escape(name), "is unknown; allowed are %s", allowed)
		}
	}
}

// escape returns a member's name in a JSON Pointer in a URI fragment (RFC 6901, sections 3 and 6).
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
