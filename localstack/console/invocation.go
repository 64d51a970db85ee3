package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// bookkeeping reports whether a line is one of those that Lambda itself writes around each invocation.
func bookkeeping(line []byte) bool {
	for _, start := range []string{"START RequestId: ", "END RequestId: ", "REPORT RequestId: "} {
		if bytes.HasPrefix(line, []byte(start)) {
			return true
		}
	}
	return false
}

// event has the members by which the events of AWS are told apart.
type event struct {
	Method         string `json:"httpMethod"` // REST API
	Path           string `json:"path"`
	RequestContext struct {
		HTTP struct { // HTTP API
			Method string `json:"method"`
			Path   string `json:"path"`
		} `json:"http"`
	} `json:"requestContext"`
	Records []struct { // event source mappings
		Source string `json:"eventSource"`
	} `json:"Records"`
	Source            string `json:"source"` // schedules
	RequestType       string `json:"RequestType"`
	LogicalResourceID string `json:"LogicalResourceId"` // custom resources
}

// answer has the members of answers that say how an invocation went.
type answer struct {
	StatusCode        *int              `json:"statusCode"`
	BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
	ErrorType         string            `json:"errorType"`
}

// Invoked writes one line about an invocation that has ended, at a terminal only: the method and path of a request, or the
// messages of a batch, then the status and the time. event and answer are the payloads; failed says that the function
// failed. A schedule and a custom resource that succeed are shown in detail only.
func (c *Console) Invoked(function string, in, out []byte, failed bool, took time.Duration) {
	if !c.formats() {
		return
	}
	var e event
	var a answer
	if json.Unmarshal(in, &e) != nil {
		e = event{} // whatever the sender's event is
	}
	if json.Unmarshal(out, &a) != nil {
		a = answer{}
	}
	what, path, quiet := e.what()
	if quiet && !failed && !c.detailed() {
		return
	}
	status, color := a.status(e, failed)
	end := " " + short(took)
	switch {
	case path != "" && c.detailed():
		what += " " + path
	case path != "":
		what += " " + middle(path, c.room(function)-len(what)-len("  ")-len(status)-len(end))
	}
	c.write(c.now(), function, colorOf(function), []span{{text: []byte(what + " ")}, {color, []byte(status)}, {grey, []byte(end)}})
}

// what describes the event. A request has a path as well. quiet says that a person does not wait for the invocation.
func (e event) what() (what, path string, quiet bool) {
	switch http := e.RequestContext.HTTP; {
	case e.Method != "":
		return e.Method, e.Path, false
	case http.Method != "":
		return http.Method, http.Path, false
	case len(e.Records) > 1 && e.Records[0].Source == "aws:sqs":
		return fmt.Sprintf("%d messages", len(e.Records)), "", false
	case len(e.Records) == 1 && e.Records[0].Source == "aws:sqs":
		return "1 message", "", false
	case e.Source == "aws.events" || e.Source == "aws.scheduler":
		return "schedule", "", true
	case e.RequestType != "" && e.LogicalResourceID != "":
		return e.RequestType + " " + e.LogicalResourceID, "", true
	}
	return "invocation", "", false
}

// status says how it went, and in which color.
func (a answer) status(e event, failed bool) (string, string) {
	switch {
	case failed && a.ErrorType != "":
		return "failed: " + a.ErrorType, red
	case failed:
		return "failed", red
	case a.StatusCode != nil && *a.StatusCode >= 500:
		return strconv.Itoa(*a.StatusCode), red
	case a.StatusCode != nil && *a.StatusCode >= 400:
		return strconv.Itoa(*a.StatusCode), yellow
	case a.StatusCode != nil && (e.Method != "" || e.RequestContext.HTTP.Method != ""):
		return strconv.Itoa(*a.StatusCode), green
	case e.Method != "":
		return "malformed answer", red
	case len(a.BatchItemFailures) > 0:
		return fmt.Sprintf("%d not done", len(a.BatchItemFailures)), yellow
	}
	return "ok", green
}

// short is a time in few characters.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// middle is a text with an ellipsis in its middle if it has more characters than room, but at least seven.
func middle(text string, room int) string {
	count := utf8.RuneCountInString(text)
	if room = max(room, 7); count <= room {
		return text
	}
	runes := []rune(text)
	head := (room - 1) / 2
	return strings.Join([]string{string(runes[:head]), "…", string(runes[count-(room-1-head):])}, "")
}
