package logging

import (
	"encoding/json"
	"log/slog"
	"strings"
)

// failure is an error in the log. As text it is its message. As JSON it is the list of its layers from the outside in,
// each without the text of the next: ["claim task 7","query","connection refused"]. Joined errors are a list of such
// lists, at the end: ["close",[["the file","disk full"],["the socket"]]].
type failure struct{ error }

// MarshalJSON implements json.Marshaler.
func (f failure) MarshalJSON() ([]byte, error) { return json.Marshal(layers(f.error)) }

// Unwrap returns the error.
func (f failure) Unwrap() error { return f.error }

func hasError(record slog.Record) (found bool) {
	record.Attrs(func(a slog.Attr) bool {
		found = isError(a)
		return !found
	})
	return found
}

func isError(a slog.Attr) bool {
	if a.Value.Kind() != slog.KindAny {
		return false
	}
	err, ok := a.Value.Any().(error)
	if !ok || err == nil {
		return false
	}
	_, own := err.(json.Marshaler)
	return !own
}

// structured returns an attribute with an error as a failure, and any other unchanged.
func structured(a slog.Attr) slog.Attr {
	if isError(a) {
		a.Value = slog.AnyValue(failure{a.Value.Any().(error)})
	}
	return a
}

// depth bounds the layers of an endless or malicious chain.
const depth = 32

func layers(err error) []any { return appendLayers(nil, err, depth) }

func appendLayers(list []any, err error, left int) []any {
	inner := unwrap(err)
	if left == 0 {
		return append(list, message(err))
	}
	if own := without(message(err), inner); own != "" {
		list = append(list, own)
	}
	switch len(inner) {
	case 0:
		if len(list) == 0 {
			list = append(list, "") // an error without a message is still an error
		}
		return list
	case 1:
		return appendLayers(list, inner[0], left-1)
	}
	branches := make([]any, len(inner))
	for i, e := range inner {
		branches[i] = appendLayers(nil, e, left-1)
	}
	return append(list, branches)
}

// unwrap returns the errors that one wraps, without nil ones.
func unwrap(err error) []error {
	switch e := err.(type) { //nolint:errorlint // one layer at a time
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	case interface{ Unwrap() []error }:
		var list []error
		for _, inner := range e.Unwrap() {
			if inner != nil {
				list = append(list, inner)
			}
		}
		return list
	}
	return nil
}

// without returns a message without the messages of its wrapped errors. In the middle, an ellipsis replaces them.
func without(text string, inner []error) string {
	for _, e := range inner {
		if m := message(e); m != "" {
			text = strings.Replace(text, m, "…", 1)
		}
	}
	return strings.Trim(text, " :;,\n…")
}

// message returns err.Error(), even for an error that panics, such as a nil pointer in an interface.
func message(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "<nil>"
		}
	}()
	return err.Error()
}
