package gateway

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// isBinary reports whether a Content-Type or Accept header names a binary media type of the API. Of several types in Accept,
// API Gateway looks at the first. */* stands for all bodies, other wildcards for themselves.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html.
func (g *gateway) isBinary(header string) bool {
	if slices.Contains(g.api.BinaryMediaTypes, "*/*") {
		return true
	}
	first, _, _ := strings.Cut(header, ",")
	name, _, _ := strings.Cut(first, ";")
	return slices.Contains(g.api.BinaryMediaTypes, strings.ToLower(strings.TrimSpace(name)))
}

// setBody puts the body into the event: in base64 if its media type is binary.
func (c *call) setBody(e *event, body []byte) {
	if len(body) == 0 {
		return
	}
	text := string(body)
	if c.g.isBinary(c.r.Header.Get("Content-Type")) {
		text, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	e.Body = &text
}

// bytes returns the body that the client gets. The gateway decodes base64 for clients that accept a binary media type.
func (a *answer) bytes(binary bool) ([]byte, error) {
	if a.Body == nil {
		return nil, nil
	}
	if !binary || !a.IsBase64Encoded {
		return []byte(*a.Body), nil
	}
	decoded, err := base64.StdEncoding.DecodeString(*a.Body)
	if err != nil {
		return nil, fmt.Errorf("the body is not base64: %w", err)
	}
	return decoded, nil
}
