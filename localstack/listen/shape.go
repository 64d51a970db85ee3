package listen

import (
	"encoding/json"
	"encoding/xml"
	"mime"
	"net/http"
	"strconv"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// Shape is the form of a port's own errors.
type Shape int

const (
	// REST is API Gateway's form: {"message": …}.
	REST Shape = iota
	// AWS is the form of the request's AWS protocol: JSON with __type, or XML for the query protocol.
	AWS
	// Text is plain text.
	Text
)

// refusal is an error answer of the port itself.
type refusal struct {
	status int
	// restType and awsCode name the error for programs.
	restType, awsCode string
	// message is for people.
	message string
}

// isStarting is the message until Serve.
const isStarting = "The local stack is starting. Its output ends with the addresses when it is ready."

// starting refuses every request until the port has a handler. SDKs retry after a 503.
func (s Shape) starting() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "1")
		s.write(w, r, refusal{http.StatusServiceUnavailable, "ServiceUnavailableException", "ServiceUnavailable", isStarting})
	})
}

// write answers with a refusal.
func (s Shape) write(w http.ResponseWriter, r *http.Request, e refusal) {
	h := w.Header()
	var body []byte
	switch {
	case s == Text:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		body = append([]byte(e.message), '\n')
	case s == REST:
		h.Set("Content-Type", "application/json")
		h.Set("X-Amzn-Errortype", e.restType)
		h.Set("X-Amzn-Requestid", awsid.NewRequestID())
		body, _ = json.Marshal(map[string]string{"message": e.message}) // strings always encode
	case speaksQuery(r):
		h.Set("Content-Type", "text/xml")
		body = xmlError(h, e)
	default:
		awsid.WriteError(w, e.status, e.awsCode, e.message)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // fails if the client is gone
	}
}

// speaksQuery reports whether a request uses AWS's query protocol. See
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html.
func speaksQuery(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded" || r.URL.Query().Has("Action")
}

// xmlError returns a refusal in the query protocol's form. See
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#error-response-serialization.
func xmlError(h http.Header, e refusal) []byte {
	type inner struct{ Type, Code, Message string }
	answer := struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     inner
		RequestId string
	}{Error: inner{"Sender", e.awsCode, e.message}, RequestId: awsid.NewRequestID()}
	if e.status >= http.StatusInternalServerError {
		answer.Error.Type = "Receiver"
	}
	h.Set("X-Amzn-Requestid", answer.RequestId)
	body, _ := xml.Marshal(answer) // texts always encode
	return body
}

// maxHeader is the maximum size of a request's line and header in bytes; net/http answers 431 above it. API Gateway's
// limit is 10,240 bytes:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html.
// Requests of AWS's APIs carry a signature and, for Lambda, a client context of some kilobytes.
func (s Shape) maxHeader() int {
	if s == AWS {
		return 64 << 10
	}
	return 10 << 10
}
