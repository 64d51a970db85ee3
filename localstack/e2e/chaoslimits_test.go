package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// runningLimits are how many tasks of a type may run at once: of all keys and of each.
type runningLimits struct{ ofType, ofKey int }

// chaosLimits are those of the job http in TestChaos.
var chaosLimits = runningLimits{ofType: 3, ofKey: 2}

// startRemote starts the server that the tasks of the job http ask, and returns its address. It answers after the
// milliseconds that the path says. One in five gets 503, so that its task is tried again.
func startRemote(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		milliseconds, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			t.Errorf("the job http asked for %s", r.URL)
		}
		wait(time.Duration(milliseconds) * time.Millisecond)
		if milliseconds%5 == 0 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// limits checks that the rows of running tasks never exceed the limits of their types. A task runs from its claim to its
// ending or rescue, also where its worker has died: a claim counts it, so that no fault excuses more.
func (v *verdict) limits(o observed) {
	type event struct {
		at    time.Time
		kind  string
		key   string
		delta int
	}
	var events []event
	for _, changes := range o.history {
		for i, c := range changes {
			runs, ran := c.status == "running", i > 0 && changes[i-1].status == "running"
			if _, limited := o.limits[c.kind]; !limited || runs == ran {
				continue
			}
			delta := 1
			if ran {
				delta = -1
			}
			events = append(events, event{c.at, c.kind, c.key, delta})
		}
	}
	slices.SortFunc(events, func(a, b event) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		return a.delta - b.delta // of one instant, the endings come first
	})
	ofType, ofKey := map[string]int{}, map[[2]string]int{}
	for _, e := range events {
		lane := [2]string{e.kind, e.key}
		ofType[e.kind] += e.delta
		ofKey[lane] += e.delta
		if e.delta < 0 {
			continue
		}
		v.ofType, v.ofKey = max(v.ofType, ofType[e.kind]), max(v.ofKey, ofKey[lane])
		limit := o.limits[e.kind]
		if n := ofType[e.kind]; n > limit.ofType {
			v.problem("%d tasks of the type %s ran at %s, the limit is %d", n, e.kind, e.at.Format("15:04:05.000000"), limit.ofType)
		}
		if n := ofKey[lane]; n > limit.ofKey {
			v.problem("%d tasks of the type %s with the key %s ran at %s, the limit is %d", n, e.kind, e.key, e.at.Format("15:04:05.000000"), limit.ofKey)
		}
	}
}

func TestTheLimitsAreJudged(t *testing.T) {
	t.Parallel()
	ran := func(kind, key string, from, to float64) []change {
		list := made(submitted(0), runningAt(from, 1), endedAt(to, "completed", 1, "7"))
		for i := range list {
			list[i].kind, list[i].key = kind, key
		}
		return list
	}
	for name, c := range map[string]struct {
		history map[string][]change
		want    string // in a problem, or ""
	}{
		"within both":       {map[string][]change{"a": ran("http", "x", 1, 5), "b": ran("http", "y", 2, 5), "c": ran("http", "x", 5, 6)}, ""},
		"another type":      {map[string][]change{"a": ran("iowork", "x", 1, 5), "b": ran("iowork", "x", 2, 5), "c": ran("iowork", "x", 3, 6)}, ""},
		"too many":          {map[string][]change{"a": ran("http", "x", 1, 5), "b": ran("http", "y", 2, 5), "c": ran("http", "z", 4, 6)}, "3 tasks of the type http ran"},
		"too many of a key": {map[string][]change{"a": ran("http", "x", 1, 5), "b": ran("http", "x", 4, 5)}, "2 tasks of the type http with the key x"},
	} {
		v := judge(observed{history: c.history, semaphore: 9, limits: map[string]runningLimits{"http": {ofType: 2, ofKey: 1}}})
		if text := strings.Join(v.problems, "\n"); (text != "") != (c.want != "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: problems %q, want %q", name, v.problems, c.want)
		}
	}
}
