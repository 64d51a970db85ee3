package stack

import (
	"fmt"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// banner says what runs where, and ends with a command to try.
func (s *stack) banner() string {
	resolved, api, endpoint := s.resolved, s.api.URL(), s.aws.URL()
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	b.WriteString("\n")
	if resolved.API != nil {
		row("REST API", "%s", api)
		for _, r := range resolved.API.Routes {
			row("", "  %-6s %s", r.Method, r.Path)
		}
	}
	row("AWS endpoint", "%s (sqs, lambda)", endpoint)
	for _, f := range resolved.Functions {
		limit := "unreserved concurrency"
		if f.ReservedConcurrency != nil {
			limit = fmt.Sprintf("at most %d at once", *f.ReservedConcurrency)
		}
		row("function", "%s, %s, time-out %s", f.Name, limit, f.Timeout)
	}
	for _, q := range resolved.Queues {
		row("queue", "%s", q.URL)
	}
	for _, m := range resolved.Mappings {
		row("mapping", "%s → %s", m.Queue, m.Function)
	}
	for _, sc := range resolved.Schedules {
		row("schedule", "%s → %s", sc.Expression, sc.Function)
	}
	if s.storage.what != "" {
		row("storage", "%s, %s", s.storage.what, s.storage.why)
	}
	if s.clickHouse.what != "" {
		row("logs", "%s", s.clickHouse.what)
	}
	for _, m := range s.missing {
		row("warning", "%s; the next start tries it again", m)
	}
	row("data", "%s", s.options.Data)
	for _, p := range s.profiles.forBanner() {
		row("pprof", "%s", p)
	}
	for _, m := range resolved.NotEmulated {
		row("not emulated", "%s", m)
	}
	b.WriteString("\n  Try it:\n")
	if resolved.API != nil {
		fmt.Fprintf(&b, "    %s\n", example(resolved.API.Routes, api))
	}
	fmt.Fprintf(&b, "    aws --endpoint-url %s --region us-east-1 sqs list-queues\n", endpoint)
	b.WriteString("\n  Ctrl-C ends everything.\n\n")
	return b.String()
}

// example is a curl command for the first route that needs nothing filled in, a POST if there is one.
func example(routes []spec.Route, api string) string {
	best := ""
	for _, r := range routes {
		if strings.Contains(r.Path, "{") {
			continue
		}
		if best == "" || r.Method == "POST" {
			best = fmt.Sprintf("curl -i -X %s %s%s", r.Method, api, r.Path)
		}
	}
	return best
}
