package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// The limits of a submission, besides MaxBody.
const (
	maxFairnessKey   = 128 // as SQS's message group has it
	maxTags          = 16
	maxTag           = 64
	maxMetadata      = 32
	maxMetadataName  = 64
	maxMetadataValue = 1024
	// maxAhead is how far ahead a task may be scheduled, and the longest ttl.
	maxAhead = 365 * 24 * time.Hour
)

// submission reads the body of POST /task. It answers a malformed request itself, and reports false.
func (a *api) submission(w http.ResponseWriter, r *http.Request) (s task.Submission, key task.Key, ok bool) {
	if r.URL.RawQuery != "" {
		writeProblem(w, http.StatusBadRequest, "the query is "+quote(r.URL.RawQuery)+"; POST /task accepts none")
		return s, key, false
	}
	members, ok := readObject(w, r)
	if !ok {
		return s, key, false
	}
	key, err := idempotencyKey(r.Header, members)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return s, key, false
	}
	s, problems := a.read(members)
	if len(problems) > 0 {
		writeInvalid(w, "the body describes no valid task", problems)
		return s, key, false
	}
	s.Trace = logging.TraceHeader(r.Context())
	return s, key, true
}

// read turns the members into a submission with the job's defaults, and returns all problems with them.
func (a *api) read(members map[string]json.RawMessage) (s task.Submission, problems invalid) {
	m := memberReader{members: members}
	m.text("type", &s.Type)
	if s.Type == "" {
		s.Type = task.DefaultType
	}
	work, known := a.options.Jobs.Lookup(s.Type)
	limits := a.limits(work)
	m.raw("payload", &s.Payload)
	switch {
	case len(m.problems) > 0: // without a valid type, there is no schema for the payload
	case known:
		m.payload(work, s.Payload)
	default:
		m.say("/type", "%s", a.options.Jobs.Unknown(s.Type))
	}
	m.moment("run_at", &s.RunAt)
	m.seconds("delay", &s.Delay, 0, maxAhead)
	if m.has("run_at") && m.has("delay") {
		m.say("/delay", "excludes run_at; give one of them")
	}
	m.whole("priority", "", &s.Priority, task.MaxPriority, task.MinPriority)
	m.fairnessKey(&s.FairnessKey)
	m.whole("max_attempts", "", &s.MaxAttempts, 1, limits.MaxAttempts)
	m.seconds("timeout", &s.Timeout, time.Second, limits.Timeout)
	m.seconds("ttl", &s.TTL, time.Second, maxAhead)
	if s.TTL > 0 && s.Delay >= s.TTL {
		m.say("/ttl", "ends before the delay of %d s; allowed are more seconds", int(s.Delay.Seconds()))
	}
	m.tags(&s.Tags)
	m.metadata(&s.Metadata)
	m.rest("type, payload, run_at, delay, priority, fairness_key, max_attempts, timeout, ttl, tags, metadata")
	if s.Priority == 0 {
		s.Priority = limits.Priority
	}
	if s.MaxAttempts == 0 {
		s.MaxAttempts = own(work).MaxAttempts
	}
	return s, m.problems
}

// own returns the options that the job itself has; none for an unknown job.
func own(j *job.Job) job.Options {
	if j == nil {
		return job.Options{}
	}
	return j.Options()
}

// limits returns the job's options. The deployment's fill in those that the job does not have.
func (a *api) limits(j *job.Job) job.Options {
	o := own(j)
	if o.MaxAttempts == 0 {
		o.MaxAttempts = a.options.MaxAttempts
	}
	if o.Timeout == 0 || o.Timeout > a.options.MaxTimeout {
		o.Timeout = a.options.MaxTimeout
	}
	return o
}

func (m *memberReader) fairnessKey(to *string) {
	allowed := fmt.Sprintf("1 to %d visible ASCII characters", maxFairnessKey)
	if m.decode("fairness_key", allowed, to) &&
		(*to == "" || len(*to) > maxFairnessKey || strings.ContainsFunc(*to, func(r rune) bool { return r <= ' ' || r > '~' })) {
		m.say("/fairness_key", "is another text; allowed is %s", allowed)
	}
}

// words reports whether a text has 1 to most characters, each visible or a space.
func words(s string, most int) bool {
	return s != "" && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

func (m *memberReader) tags(to *[]string) {
	if !m.decode("tags", "an array of strings", to) {
		return
	}
	if len(*to) > maxTags {
		m.say("/tags", "has %d tags; allowed are %d or fewer", len(*to), maxTags)
		return
	}
	for i, tag := range *to {
		switch at := fmt.Sprintf("/tags/%d", i); {
		case !words(tag, maxTag):
			m.say(at, "is another text; allowed are 1 to %d characters without control characters", maxTag)
		case slices.Index(*to, tag) < i:
			m.say(at, "stands twice, first as tag %d", slices.Index(*to, tag))
		}
	}
}

func (m *memberReader) metadata(to *map[string]string) {
	if !m.decode("metadata", "an object whose values are strings", to) {
		return
	}
	if len(*to) > maxMetadata {
		m.say("/metadata", "has %d members; allowed are %d or fewer", len(*to), maxMetadata)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(*to)) {
		value, at := (*to)[name], "/metadata/"+escape(name)
		if !words(name, maxMetadataName) {
			m.say(at, "has another name; allowed are 1 to %d characters without control characters", maxMetadataName)
		}
		if utf8.RuneCountInString(value) > maxMetadataValue || strings.ContainsRune(value, 0) {
			m.say(at, "has another value; allowed are up to %d characters without NUL", maxMetadataValue)
		}
	}
}

// payload checks a payload against the job's schema.
func (m *memberReader) payload(work *job.Job, payload json.RawMessage) {
	var wrong *job.InvalidPayload
	switch err := work.Validate(payload); {
	case err == nil:
	case errors.As(err, &wrong):
		for _, p := range wrong.Problems {
			m.say("/payload"+p.Pointer, "%s", p.Detail)
		}
	default:
		panic(err) // the job's type has no schema; the guard answers 500 and logs it
	}
}
