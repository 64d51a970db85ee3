package console

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// running is a step in progress.
type running struct {
	what  string
	begun time.Time
}

// String describes the step and how long it has taken: "build Api … 3s".
func (r *running) String() string {
	text := r.what + " …"
	if took := time.Since(r.begun).Round(time.Second); took > 0 {
		text += " " + took.String()
	}
	return text
}

// remind is how often a long step says that it is still at work if lines cannot be rewritten.
const remind = 10 * time.Second

// Timed does a step of the stack and returns its error. It writes that the step begins, that it goes on, and how long it
// took. A terminal shows the steps in progress in one line that changes.
func (c *Console) Timed(what string, do func() error) error {
	r := &running{what: what, begun: time.Now()}
	c.enter(r)
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() { c.tell(r, done) })
	err := do()
	close(done)
	telling.Wait()
	c.leave(r)
	if err == nil {
		c.Step("stack", "%s: done in %s", what, time.Since(r.begun).Round(time.Millisecond))
	}
	return err
}

// tell says from time to time that a step goes on.
func (c *Console) tell(r *running, done <-chan struct{}) {
	period := remind
	if c.terminal.live {
		period = time.Second
	}
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			if c.terminal.live {
				c.redraw()
			} else {
				c.Step("stack", "%s", r)
			}
		}
	}
}

// enter shows a step that begins.
func (c *Console) enter(r *running) {
	if !c.terminal.live {
		c.Step("stack", "%s", r)
		return
	}
	c.mu.Lock()
	c.running = append(c.running, r)
	c.mu.Unlock()
	c.redraw()
}

// leave takes a step from the progress line.
func (c *Console) leave(r *running) {
	if !c.terminal.live {
		return
	}
	c.mu.Lock()
	c.running = slices.DeleteFunc(c.running, func(other *running) bool { return other == r })
	c.mu.Unlock()
	c.redraw()
}

// redraw writes the progress line.
func (c *Console) redraw() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.flush()
}

// appendProgress adds the progress line unless no step is in progress; the steps share the width. The caller holds mu.
func (c *Console) appendProgress() {
	if len(c.running) == 0 {
		return
	}
	room := (c.terminal.width() - 1 - 2*(len(c.running)-1)) / len(c.running)
	for i, r := range c.running {
		if i > 0 {
			c.append(span{grey, []byte(", ")})
		}
		c.append(span{grey, []byte(r.within(room))})
	}
	c.drawn = true
}

// within is String, with the description cut so that the whole has no more columns than room.
func (r *running) within(room int) string {
	what := []rune(Clean(r.what))
	cut := running{what: string(what), begun: r.begun}
	for utf8.RuneCountInString(cut.String()) > room && len(what) > 0 {
		what = what[:len(what)-1]
		cut.what = strings.TrimRight(string(what), " ,")
	}
	return cut.String()
}
