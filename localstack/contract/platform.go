package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// platform is the server of the API. Its fields are the known differences from API Gateway; any other difference is a
// failure.
type platform struct {
	name string
	// plainErrors means that the gateway's own errors have the default form, {"message": …}, since the platform ignores
	// the template's GatewayResponses.
	plainErrors bool
	// decodesBodies: the gateway itself decodes a body with a Content-Encoding, and answers 500 to one that is not so encoded.
	decodesBodies bool
}

// findPlatform recognizes the platform by the headers of an answer without a function.
func (c *client) findPlatform(ctx context.Context) error {
	r, err := c.do(ctx, http.MethodGet, "/no-such-route", "")
	if err != nil {
		return fmt.Errorf("the API cannot be reached: %w", err)
	}
	switch {
	case strings.HasPrefix(r.header.Get("Server"), "Werkzeug"):
		c.platform = platform{name: "sam local start-api", plainErrors: true}
	case r.header.Get("X-Localstack") != "":
		c.platform = platform{name: "LocalStack", plainErrors: true, decodesBodies: true}
	case r.header.Get("X-Amz-Apigw-Id") != "" && strings.HasPrefix(c.url, "https:"):
		c.platform = platform{name: "API Gateway"}
	default:
		c.platform = platform{name: "the local stack"}
	}
	return nil
}
