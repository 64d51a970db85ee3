package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/listen"
)

// answer is what a function returns.
type answer struct {
	StatusCode        json.RawMessage              `json:"statusCode"`
	Headers           map[string]json.RawMessage   `json:"headers"`
	MultiValueHeaders map[string][]json.RawMessage `json:"multiValueHeaders"` // of format 1.0
	Cookies           []string                     `json:"cookies"`           // of format 2.0
	Body              *string                      `json:"body"`
	IsBase64Encoded   bool                         `json:"isBase64Encoded"`
}

// answer maps the function's answer to the response. In format 2.0, JSON without statusCode is the body of a 200. An error
// means that nothing is written.
func (c *call) answer(w http.ResponseWriter, payload []byte) error {
	old := c.route.PayloadFormat == "1.0"
	var a answer
	err := json.Unmarshal(payload, &a)
	if !old && json.Valid(payload) && !hasStatus(payload) {
		return writeInferred(w, payload)
	}
	if err != nil {
		return err
	}
	status, err := strconv.Atoi(string(bytes.Trim(a.StatusCode, `"`)))
	if err != nil || status < 200 || status > 599 {
		return fmt.Errorf("statusCode is %s; allowed are 200 to 599", a.StatusCode)
	}
	body, err := a.bytes()
	if err != nil {
		return err
	}
	headers, err := a.header(old)
	if err != nil {
		return err
	}
	for name, values := range headers {
		if !strings.HasPrefix(name, "Access-Control-") || c.g.api.CORS == nil { // the API's own take precedence
			w.Header()[name] = values
		}
	}
	if headers.Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails when the client has gone away
	return nil
}

func hasStatus(payload []byte) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(payload, &members) == nil && members["statusCode"] != nil
}

// writeInferred answers with JSON, and with the text of a JSON string.
func writeInferred(w http.ResponseWriter, payload []byte) error {
	var text string
	if json.Unmarshal(payload, &text) == nil && string(payload) != "null" {
		payload = []byte(text)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(payload) // fails when the client has gone away
	return nil
}

func (a *answer) bytes() ([]byte, error) {
	if a.Body == nil {
		return nil, nil
	}
	if !a.IsBase64Encoded {
		return []byte(*a.Body), nil
	}
	return base64.StdEncoding.DecodeString(*a.Body)
}

// header returns the headers of the answer. It refuses what HTTP cannot carry.
func (a *answer) header(old bool) (http.Header, error) {
	h := http.Header{}
	add := func(name string, raw json.RawMessage) error {
		value := string(raw)
		if len(raw) > 0 && raw[0] == '"' {
			if err := json.Unmarshal(raw, &value); err != nil {
				return err
			}
		}
		if !listen.ValidHeaderName(name) || !listen.ValidHeaderValue(value) {
			return fmt.Errorf("the header %q is not allowed in HTTP", name)
		}
		h.Add(name, value)
		return nil
	}
	var errs []error
	for name, value := range a.Headers {
		if _, also := a.MultiValueHeaders[name]; !old || !also {
			errs = append(errs, add(name, value))
		}
	}
	if old {
		for name, values := range a.MultiValueHeaders {
			for _, value := range values {
				errs = append(errs, add(name, value))
			}
		}
		return h, errors.Join(errs...)
	}
	for _, cookie := range a.Cookies {
		text, _ := json.Marshal(cookie) // strings always can be
		errs = append(errs, add("Set-Cookie", text))
	}
	for _, own := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		h.Del(own)
	}
	return h, errors.Join(errs...)
}
