package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// readBody reads a request's body of up to MaxBody bytes. If it cannot, it answers the request and reports false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if coding := contentCoding(r.Header); coding != "" {
		// The gateway passes bodies on as text, which breaks a compressed body. The header says what is accepted:
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

// contentCoding returns the body's content coding, "" without one.
func contentCoding(h http.Header) string {
	coding := strings.Join(h.Values("Content-Encoding"), ", ")
	if strings.EqualFold(coding, "identity") {
		return ""
	}
	return coding
}

// readObject reads a request's body, which is empty or a JSON object. If it cannot, it answers the request and reports
// false.
func readObject(w http.ResponseWriter, r *http.Request) (map[string]json.RawMessage, bool) {
	body, ok := readBody(w, r)
	if !ok {
		return nil, false
	}
	members, err := object(body)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return nil, false
	}
	return members, true
}

// object parses a body that is a JSON object. An empty body has no members. The error is for the client.
func object(body []byte) (map[string]json.RawMessage, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) { // RFC 8259, section 8.1
		return nil, errors.New("the body is not UTF-8")
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(body, &members)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return nil, fmt.Errorf("the body is not JSON: %w at byte %d", syntax, syntax.Offset)
	}
	if err != nil || members == nil {
		return nil, fmt.Errorf("the body is a JSON %s; it must be empty or a JSON object", kind(text[0]))
	}
	if name, twice := repeated(body); twice {
		return nil, fmt.Errorf("the body has the member %s more than once", quote(name))
	}
	return members, nil
}

// repeated finds a duplicate name in a JSON object: a client would not know which member counts.
func repeated(object []byte) (name string, twice bool) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	seen := map[string]bool{}
	_, err := decoder.Token() // {
	for err == nil && decoder.More() {
		var token json.Token
		if token, err = decoder.Token(); err != nil {
			break
		}
		name, _ := token.(string)
		if seen[name] {
			return name, true
		}
		seen[name] = true
		var value json.RawMessage
		err = decoder.Decode(&value)
	}
	return "", false
}

// kind names a JSON value by its first character.
func kind(first byte) string {
	switch first {
	case '{':
		return "object"
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
