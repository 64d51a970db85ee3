package lambda

import "sync"

// accountConcurrency is how many invocations of functions without reserved concurrency may run at the same time: the
// default quota of an AWS account.
const accountConcurrency = 1000

// concurrency counts the invocations that run against a limit.
type concurrency struct {
	limit  int
	reason string // of the throttle

	mu   sync.Mutex
	used int
}

func newConcurrency(limit int, reason string) *concurrency {
	return &concurrency{limit: limit, reason: reason}
}

// take reports whether there was a place; each one taken must be given back by release.
func (c *concurrency) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used >= c.limit {
		return false
	}
	c.used++
	return true
}

func (c *concurrency) release() {
	c.mu.Lock()
	c.used--
	c.mu.Unlock()
}
