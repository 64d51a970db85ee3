package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// readQuery decodes a request's query. Its parameters must be among allowed, each given once: of several values, a
// client would not know which counts. The error is for the client.
func readQuery(r *http.Request, allowed ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query cannot be decoded: %w", err)
	}
	if len(allowed) == 0 && len(query) > 0 {
		return nil, fmt.Errorf("the query is %s; %s accepts none", quote(r.URL.RawQuery), r.URL.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(allowed, name) {
			return nil, fmt.Errorf("query parameter %s is unknown; allowed are %s", quote(name), strings.Join(allowed, ", "))
		}
		if n := len(query[name]); n > 1 {
			return nil, fmt.Errorf("query parameter %s appears %d times; give it once", name, n)
		}
	}
	return query, nil
}
