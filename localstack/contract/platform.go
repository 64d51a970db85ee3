package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// platform is what serves the API. Its fields are the known differences from API Gateway; whatever else differs is a
// failure.
type platform struct {
	name string
	// plainErrors: the gateway's own errors have its default form, {"message": …}, since the template's
	// GatewayResponses are not applied.
	plainErrors bool
	// decodesBodies: the gateway itself decodes a body with a Content-Encoding, and answers 500 to one that is not so encoded.
	decodesBodies bool
}

// findPlatform tells the platforms apart by the headers of an answer that needs no function.
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
