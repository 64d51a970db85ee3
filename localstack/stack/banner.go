package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/provide"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// banner says in at most 12 lines what runs where. The URLs and an example come last.
func banner(p *plan, backing *provide.Backing, missing []error, ports ports) string {
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-13s %s\n", name, text)
		}
	}
	s := p.stack
	b.WriteString("\n")
	row("stack", s.Name+", data in "+p.data)
	row("functions", names(s.Functions, func(f spec.Function) string {
		if f.ReservedConcurrency == nil {
			return p.short(f.Name)
		}
		return fmt.Sprintf("%s (at most %d at once)", p.short(f.Name), *f.ReservedConcurrency)
	}))
	row("queues", names(s.Queues, func(q spec.Queue) string { return q.Name }))
	row("triggers", p.triggers())
	for _, service := range backing.Rows {
		row(service.Service, service.Text)
	}
	switch {
	case len(missing) == 1:
		row("warning", missing[0].Error()+"; the next start tries it again")
	case len(missing) > 1:
		row("warning", fmt.Sprintf("%d custom resources failed, see above; the next start tries them again", len(missing)))
	}
	if s.API != nil { // people open the first URL in a browser
		row("REST API", ports.api.URL()+first(s.API.Routes))
	}
	if s.HTTPAPI != nil {
		row("HTTP API", ports.api.URL()+first(httpRoutes(s.HTTPAPI)))
	}
	row("AWS endpoint", p.endpoint)
	fmt.Fprintf(&b, "  Try: %s   Ctrl-C ends everything.\n", p.example(ports))
	return b.String()
}

// httpRoutes returns the routes of an HTTP API with a path to show for $default.
func httpRoutes(api *spec.HTTPAPI) (routes []spec.Route) {
	for _, route := range api.Routes {
		if route.Path == "" {
			route.Method, route.Path = "ANY", "/"
		}
		routes = append(routes, route.Route)
	}
	return routes
}

// most is how many names a line of the banner has.
const most = 5

// names joins the names of a list for one line.
func names[T any](list []T, name func(T) string) string {
	var all []string
	for _, item := range list {
		all = append(all, name(item))
	}
	if more := len(all) - most; more > 0 {
		all = append(all[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

// triggers lists what invokes functions, besides the API.
func (p *plan) triggers() string {
	var all []string
	for _, m := range p.stack.Mappings {
		all = append(all, p.short(m.Queue)+" → "+p.short(m.Function))
	}
	for _, s := range p.stack.Schedules {
		all = append(all, s.Expression+" → "+p.short(s.Function))
	}
	return names(all, func(s string) string { return s })
}

// first returns the path of the first route that a browser can open, "" if there is none.
func first(routes []spec.Route) string {
	for _, r := range routes {
		if (r.Method == "GET" || r.Method == "ANY") && !strings.Contains(r.Path, "{") {
			return r.Path
		}
	}
	return ""
}

// example returns a command for this stack: a request to the API, else a message or an invocation.
func (p *plan) example(ports ports) string {
	aws := "aws --endpoint-url " + p.endpoint + " --region us-east-1 "
	s := p.stack
	switch {
	case s.API != nil && len(s.API.Routes) > 0:
		return curl(s.API.Routes, ports.api.URL())
	case s.HTTPAPI != nil:
		return curl(httpRoutes(s.HTTPAPI), ports.api.URL())
	case len(s.Queues) > 0:
		return aws + "sqs send-message --queue-url " + s.Queues[0].URL + " --message-body hello"
	case len(s.Functions) > 0:
		return aws + "lambda invoke --function-name " + s.Functions[0].Name + " /dev/stdout"
	}
	return aws + "sqs list-queues"
}

// curl returns a request to the route with the fewest parameters, preferably a POST.
func curl(routes []spec.Route, api string) string {
	best := slices.MinFunc(routes, func(a, b spec.Route) int {
		rank := func(r spec.Route) int {
			n := 2 * strings.Count(r.Path, "{")
			if r.Method != "POST" {
				n++
			}
			return n
		}
		return rank(a) - rank(b)
	})
	method := best.Method
	if method == "ANY" {
		method = "GET"
	}
	url := api + filled(best.Path)
	if strings.ContainsAny(url, "&*$;() ~!") {
		url = "'" + url + "'"
	}
	return fmt.Sprintf("curl -i -X %s %s", method, url)
}

// filled returns a path with a value for each parameter.
func filled(path string) string {
	return strings.NewReplacer("{", "", "+}", "", "}", "").Replace(path)
}
