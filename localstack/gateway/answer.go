package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"

	"github.com/eragon-mdi/ksu/localstack/listen"
)

// answer is what a function returns. It may omit any member; an unknown member makes the answer malformed.
type answer struct {
	StatusCode        status              `json:"statusCode"`
	Headers           map[string]header   `json:"headers"`
	MultiValueHeaders map[string][]header `json:"multiValueHeaders"`
	Body              *string             `json:"body"`
	// IsBase64Encoded has an effect if the API has binary media types.
	IsBase64Encoded bool `json:"isBase64Encoded"`
}

// status is a number, or a text with a number; default 200.
type status int

// UnmarshalJSON implements json.Unmarshaler.
func (s *status) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	code, err := strconv.Atoi(string(bytes.Trim(text, `"`)))
	if err != nil || code < 200 || code > 599 {
		return fmt.Errorf("statusCode is %s; allowed are 200 to 599", text)
	}
	*s = status(code)
	return nil
}

// header is a text or a boolean.
type header string

// UnmarshalJSON implements json.Unmarshaler.
func (h *header) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true", "false":
		*h = header(text)
		return nil
	}
	var value string
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("a header is %s; it must be a text", text)
	}
	*h = header(value)
	return nil
}

func parseAnswer(payload []byte) (*answer, error) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	var a *answer
	if err := decoder.Decode(&a); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("the answer has more than one JSON value")
	}
	if a == nil {
		return nil, errors.New("the answer is null")
	}
	if a.StatusCode == 0 {
		a.StatusCode = http.StatusOK
	}
	return a, nil
}

// writeAnswer maps a function's answer to the response. binary is whether the client accepts a
// binary media type. If it returns an error, it has written nothing.
func writeAnswer(w http.ResponseWriter, payload []byte, binary bool) error {
	a, err := parseAnswer(payload)
	if err != nil {
		return err
	}
	if err := a.checkHeaders(); err != nil {
		return err
	}
	body, err := a.bytes(binary)
	if err != nil {
		return err
	}
	h := w.Header()
	for name, values := range a.MultiValueHeaders {
		for _, value := range values {
			addHeader(h, name, string(value))
		}
	}
	for name, value := range a.Headers {
		if !slices.Contains(h[outgoing(name)], string(value)) {
			addHeader(h, name, string(value))
		}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	w.WriteHeader(int(a.StatusCode))
	_, _ = w.Write(body) // fails when the client has gone away
	return nil
}

// checkHeaders refuses headers that HTTP cannot carry: the client would drop the whole answer.
func (a *answer) checkHeaders() error {
	check := func(name string, value header) error {
		if !listen.ValidHeaderName(name) {
			return fmt.Errorf("header name %q is not allowed in HTTP", name)
		}
		if !listen.ValidHeaderValue(string(value)) {
			return fmt.Errorf("header %s has a control character: %q", name, value)
		}
		return nil
	}
	for name, value := range a.Headers {
		if err := check(name, value); err != nil {
			return err
		}
	}
	for name, values := range a.MultiValueHeaders {
		for _, value := range values {
			if err := check(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func addHeader(h http.Header, name, value string) {
	if name = outgoing(name); name != "" {
		h[name] = append(h[name], value)
	}
}

// outgoing returns the name under which API Gateway sends a function's header, "" to drop it. API Gateway renames the
// headers that it writes itself. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html.
func outgoing(name string) string {
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Authorization", "Connection", "Content-Md5", "Date", "Host", "Max-Forwards", "Server", "Trailer", "User-Agent",
		"Via", "Www-Authenticate":
		return "X-Amzn-Remapped-" + name
	case "Content-Length", "Expect", "Proxy-Authenticate", "Te", "Transfer-Encoding", "Upgrade":
		return ""
	}
	return name
}
