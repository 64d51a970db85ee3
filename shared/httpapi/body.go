package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// readBody reads a request's body of up to MaxBody bytes. When it cannot, it answers the request and reports false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if coding := contentCoding(r.Header); coding != "" {
		// The gateway passes bodies on as text, so that a compressed body arrives broken. The header says what is taken:
		// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3.
		w.Header().Set("Accept-Encoding", "identity")
		writeProblem(w, http.StatusUnsupportedMediaType, "the Content-Encoding is "+quote(coding)+"; send the body without one")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			writeProblem(w, http.StatusRequestEntityTooLarge, "the body is larger than 256 KiB")
			return nil, false
		}
		writeProblem(w, http.StatusBadRequest, "the body could not be read")
		return nil, false
	}
	return body, true
}

// contentCoding is the body's content coding; "" for none.
func contentCoding(h http.Header) string {
	coding := strings.Join(h.Values("Content-Encoding"), ", ")
	if strings.EqualFold(coding, "identity") {
		return ""
	}
	return coding
}

// object reads a body that is a JSON object. An empty body has no members. The error is for the client.
func object(body []byte) (map[string]json.RawMessage, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil, nil
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(body, &members)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return nil, fmt.Errorf("the body is not JSON: %w at byte %d", syntax, syntax.Offset)
	}
	if err != nil || members == nil {
		return nil, fmt.Errorf("the body is a JSON %s; it must be empty or a JSON object", kind(text[0]))
	}
	return members, nil
}

// kind names a JSON value by its first character.
func kind(first byte) string {
	switch first {
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}
