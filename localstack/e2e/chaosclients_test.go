package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// chaosClients is how many clients submit at once.
const chaosClients = 4

// submission is a task that got 201.
type submission struct {
	id      string
	deleted bool // its DELETE got 204
	unsure  bool // its DELETE got no answer: it may have happened
}

// submitAll submits one client's share of the tasks, spread over the time of the faults. It deletes some of them. It
// repeats submissions with an Idempotency-Key until they get an answer, as clients do.
func (c *chaos) submitAll(client int) {
	random := rand.New(rand.NewPCG(c.plan.seed, uint64(1+client)))
	n := c.plan.tasks / chaosClients
	for i := range n {
		key := ""
		if random.IntN(2) == 0 {
			key = fmt.Sprintf("chaos-%d-%d", client, i)
		}
		id := c.submit(key, c.body(random))
		if id != "" {
			s := submission{id: id}
			if random.IntN(12) == 0 {
				wait(time.Duration(random.IntN(500)) * time.Millisecond)
				c.delete(&s)
			}
			c.mu.Lock()
			c.submitted = append(c.submitted, s)
			c.mu.Unlock()
		}
		wait(time.Duration(random.Int64N(2 * int64(c.plan.time) / int64(n))))
	}
}

// body is what a submission says: some have nothing to say, others mix jobs, keys, priorities and delays.
func (c *chaos) body(random *rand.Rand) string {
	if random.IntN(3) == 0 {
		return ""
	}
	body := fmt.Sprintf(`{"fairness_key":"key-%d","priority":%d`, random.IntN(5), 1+random.IntN(4))
	if random.IntN(4) == 0 {
		body += fmt.Sprintf(`,"delay":%d`, 1+random.IntN(3))
	}
	if random.IntN(3) == 0 {
		body += fmt.Sprintf(`,"type":"http","payload":{"url":"http://%s/%d"}`, c.remote, random.IntN(600))
	}
	return body + `,"max_attempts":3,"tags":["chaos"]}`
}

// submit returns the id of the accepted task. It does not repeat a failed request without a key, and then returns "".
func (c *chaos) submit(key, body string) string {
	for {
		r, err := c.askWith(http.MethodPost, "/task", key, body)
		var t struct{ ID string }
		if err == nil && r.status == http.StatusCreated && json.Unmarshal([]byte(r.body), &t) == nil && t.ID != "" {
			if key != "" { // a repetition must get the same answer
				if again, err := c.askWith(http.MethodPost, "/task", key, body); err == nil && again.status == http.StatusCreated && again.body != r.body {
					c.t.Errorf("the key %s was answered %s, then %s", key, r.body, again.body)
				}
			}
			return t.ID
		}
		if key == "" {
			return ""
		}
		wait(100 * time.Millisecond)
	}
}

func (c *chaos) delete(s *submission) {
	r, err := c.ask(http.MethodDelete, "/task/"+s.id, "")
	s.deleted = err == nil && r.status == http.StatusNoContent
	s.unsure = !s.deleted
}

// ask sends a request to the current stack. Errors must allow a client to go on: 503 with Retry-After while the
// database is down, or 502 if the function died, which report counts.
func (c *chaos) ask(method, path, key string) (reply, error) { return c.askWith(method, path, key, "") }

func (c *chaos) askWith(method, path, key, body string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.current().api+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := send(r)
	switch {
	case err != nil: // the stack was killed
		c.refusals.Add(1)
	case answer.status == http.StatusServiceUnavailable:
		c.refusals.Add(1)
		if answer.header.Get("Retry-After") == "" || answer.header.Get("Content-Type") != "application/problem+json" {
			c.t.Errorf("%s %s: %d %v %s; want Retry-After and a problem", method, path, answer.status, answer.header, answer.body)
		}
	case answer.status == http.StatusBadGateway && answer.header.Get("Content-Type") == "application/problem+json":
		c.refusals.Add(1)
		c.badGateways.Add(1)
	case answer.status >= 500:
		c.refusals.Add(1)
		c.t.Errorf("%s %s: %d %s", method, path, answer.status, answer.body)
	}
	return answer, err
}

func send(r *http.Request) (reply, error) {
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	return reply{w.StatusCode, w.Header, string(text)}, err
}

// accepted returns the tasks that must have ended, and which of them are deleted.
func (c *chaos) accepted() map[string]bool {
	list := map[string]bool{}
	for _, s := range c.submitted {
		list[s.id] = s.deleted
	}
	return list
}

func (c *chaos) deletions() (n int) {
	for _, s := range c.submitted {
		if s.deleted {
			n++
		}
	}
	return n
}

// aws calls the AWS endpoint of the current stack.
func (c *chaos) aws(path, target, body string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.current().aws+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	}
	return send(r)
}

// sweepUntil invokes the sweeper every second, and records the successful sweeps.
func (c *chaos) sweepUntil(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		asked := time.Now()
		r, err := c.aws("/2015-03-31/functions/ksu-SweeperFunction/invocations", "", "{}")
		if err == nil && r.status == http.StatusOK && r.header.Get("X-Amz-Function-Error") == "" {
			c.sweeps = append(c.sweeps, sweep{asked, time.Now()})
		}
	}
}

// sendDuplicates sends n times a message of an earlier task, a message of an unknown task, and a message without a
// task.
func (c *chaos) sendDuplicates(n int) {
	c.mu.Lock()
	submitted := c.submitted
	c.mu.Unlock()
	random := rand.New(rand.NewPCG(c.plan.seed, uint64(1000+c.duplicates)))
	for range n {
		bodies := []string{fmt.Sprintf(`{"id":%q}`, uuid.NewString()), `{"id":7}`}
		if len(submitted) > 0 {
			bodies = append(bodies, fmt.Sprintf(`{"id":%q}`, submitted[random.IntN(len(submitted))].id))
		}
		for _, body := range bodies {
			c.sendMessage(body)
			c.duplicates++
		}
	}
}

func (c *chaos) sendMessage(body string) {
	queue := c.current().aws + "/000000000000/ksu-TaskQueue"
	request, err := json.Marshal(map[string]string{"QueueUrl": queue, "MessageBody": body})
	if err != nil {
		c.t.Error(err)
		return
	}
	if r, err := c.aws("/", "AmazonSQS.SendMessage", string(request)); err != nil || r.status != http.StatusOK {
		c.t.Errorf("SendMessage: %d %s %v", r.status, r.body, err)
	}
}

// watchUntil reads the list as a client does, and checks that an ending never changes.
func (c *chaos) watchUntil(stop <-chan struct{}) {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		r, err := c.ask(http.MethodGet, "/task?limit=1000", "")
		var tasks []struct {
			ID, Status, Error string
			Result            *string
		}
		if err != nil || r.status != http.StatusOK || json.Unmarshal([]byte(r.body), &tasks) != nil {
			continue
		}
		for _, t := range tasks {
			if t.Status == "completed" || t.Status == "failed by io bound" {
				ending := t.Status + " " + t.Error
				if t.Result != nil {
					ending += *t.Result
				}
				c.endingSeen(t.ID, ending)
			} else if before, ended := c.endings[t.ID]; ended {
				c.t.Errorf("task %s was seen as %q, then as %q", t.ID, before, t.Status)
			}
		}
	}
}

func (c *chaos) endingSeen(id, ending string) {
	if before, ok := c.endings[id]; ok && before != ending {
		c.t.Errorf("task %s was seen as %q, then as %q", id, before, ending)
	}
	c.endings[id] = ending
}

// checkEndings asks the API for every accepted task.
func (c *chaos) checkEndings(v *verdict) {
	for _, s := range c.submitted {
		r, err := c.ask(http.MethodGet, "/task/"+s.id+"/status", "")
		var t struct{ Status string }
		switch {
		case err != nil:
			v.problem("task %s: %v", s.id, err)
		case s.deleted || s.unsure && r.status == http.StatusNotFound:
			if r.status != http.StatusNotFound {
				v.problem("deleted task %s: %d %s", s.id, r.status, r.body)
			}
		case r.status != http.StatusOK || json.Unmarshal([]byte(r.body), &t) != nil ||
			t.Status != "completed" && t.Status != "failed by io bound":
			v.problem("task %s: %d %s; want its ending", s.id, r.status, r.body)
		default:
			c.seen[t.Status]++
			if before, ok := c.endings[s.id]; ok && !strings.HasPrefix(before, t.Status+" ") {
				v.problem("task %s was seen as %q, then as %q", s.id, before, t.Status)
			}
		}
	}
}
