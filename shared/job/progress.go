package job

import (
	"context"
	"sync"
)

// Report is how far a job has come.
type Report struct {
	// Done of Total units are done. Total is 0 where the job does not know it.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
	// Note says in a few words what the job does, at most MaxNote bytes.
	Note string `json:"note,omitempty"`
}

// MaxNote is how many bytes of a report's note are kept.
const MaxNote = 200

// Progress reports how far the job has come: done of total units, total 0 where it is not known, and a few words. It
// costs no statement of its own: the next heartbeat carries the latest report, the ones between are dropped. It does
// nothing under a context that has no Reporter.
func Progress(ctx context.Context, done, total int64, note string) {
	if r, ok := ctx.Value(reporterKey{}).(*Reporter); ok {
		r.set(Report{max(done, 0), max(total, 0), shorten(note)})
	}
}

// shorten cuts a note to MaxNote bytes of whole characters.
func shorten(note string) string {
	if len(note) <= MaxNote {
		return note
	}
	cut := 0
	for i := range note {
		if i > MaxNote {
			break
		}
		cut = i
	}
	return note[:cut]
}

type reporterKey struct{}

// WithReporter returns a context whose Progress goes to r.
func WithReporter(ctx context.Context, r *Reporter) context.Context {
	return context.WithValue(ctx, reporterKey{}, r)
}

// Reporter keeps the latest report of one attempt. The zero value has none. It is safe for concurrent use.
type Reporter struct {
	mu      sync.Mutex
	report  Report
	changed bool
}

func (r *Reporter) set(report Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = r.changed || report != r.report
	r.report = report
}

// Latest returns the latest report, zero before the first, and whether it differs from the one that the last call
// returned.
func (r *Reporter) Latest() (report Report, changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed, r.changed = r.changed, false
	return r.report, changed
}
