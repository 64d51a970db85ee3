package lambda

import (
	"math"
	"sync"
	"syscall"
	"time"
)

// memoryAge is the maximum age of a figure: with thousands of invocations per second, reading it each time is too slow.
const memoryAge = 250 * time.Millisecond

// memory is the peak memory of a process.
type memory struct {
	mu   sync.Mutex // guards the rest
	pid  int
	read time.Time
	peak int // bytes
}

func (m *memory) of(pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pid = pid
}

// maxMemory returns the peak memory of the environment in MB, 0 if the system does not tell it for a running process.
func (e *environment) maxMemory() int {
	m := &e.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.ended() {
		if usage, ok := e.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			m.peak = max(m.peak, int(usage.Maxrss)*maxrssUnit)
		}
	} else if now := time.Now(); now.Sub(m.read) >= memoryAge {
		m.read = now
		m.peak = max(m.peak, peakOf(m.pid))
	}
	return int(math.Ceil(float64(m.peak) / (1 << 20)))
}

// ended reports whether the process has ended and its ProcessState may be read.
func (e *environment) ended() bool {
	select {
	case <-e.gone:
		return true
	default:
		return false
	}
}
