package lambda

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
)

// configuration is a function in ListFunctions and GetFunction, with the names of
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html.
type configuration struct {
	FunctionName string
	FunctionArn  string
	Handler      string
	Runtime      string
	Timeout      int // seconds
	MemorySize   int // MB
	Version      string
	PackageType  string
	State        string
	Environment  struct{ Variables map[string]string }
}

func (f *function) configuration() configuration {
	c := configuration{
		FunctionName: f.Name, FunctionArn: f.ARN, Handler: f.Handler, Runtime: f.Runtime,
		Timeout: int(f.Timeout.Seconds()), MemorySize: f.MemorySize, Version: version,
		PackageType: "Zip", State: "Active",
	}
	c.Environment.Variables = f.Environment
	return c
}

func (s *Service) serveList(w http.ResponseWriter) {
	all := struct{ Functions []configuration }{[]configuration{}}
	s.mu.RLock()
	for _, f := range s.functions {
		all.Functions = append(all.Functions, f.configuration())
	}
	s.mu.RUnlock()
	slices.SortFunc(all.Functions, func(a, b configuration) int { return cmp.Compare(a.FunctionName, b.FunctionName) })
	writeJSON(w, all)
}

func (s *Service) serveGet(w http.ResponseWriter, r *http.Request, name, verb string) {
	f, err := s.addressed(name, r.URL.Query().Get("Qualifier"))
	if err != nil {
		writeError(w, s.asAPIError(err, name))
		return
	}
	if verb == "configuration" {
		writeJSON(w, f.configuration())
		return
	}
	type concurrency struct{ ReservedConcurrentExecutions int }
	answer := struct {
		Configuration configuration
		Code          struct{ Location string }
		Concurrency   *concurrency `json:",omitempty"`
	}{Configuration: f.configuration()}
	answer.Code.Location = "file://" + f.binary
	if f.ReservedConcurrency != nil {
		answer.Concurrency = &concurrency{*f.ReservedConcurrency}
	}
	writeJSON(w, answer)
}

func writeJSON(w http.ResponseWriter, value any) {
	text, _ := json.Marshal(value) // these types always encode
	w.Header()["Content-Type"] = contentJSON
	_, _ = w.Write(text) // a caller that has left does not read it
}
