package storetest

import (
	"sync"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// history is what answers have said about one task. All of it happened before any later step starts, so each step is
// judged by the facts before its start.
type history struct {
	id uuid.UUID

	mu     sync.Mutex
	tokens map[int]bool // every attempt that a claim returned
	spent  map[int]bool // attempts that ended, were retried or released
	facts
}

type facts struct {
	latest    int         // the largest token
	ended     task.Status // set once a worker wrote the ending
	ending    string      // the result or reason
	cancelled bool
}

func (h *history) before() facts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.facts
}

func (h *history) isSpent(token int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.spent[token]
}
