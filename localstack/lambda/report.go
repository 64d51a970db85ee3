package lambda

import (
	"math"
	"strconv"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// start writes the START line of an invocation.
func (l *logs) start(requestID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail.reset()
	b := append(l.scratch[:0], "START RequestId: "...)
	b = append(b, requestID...)
	b = append(b, " Version: "+version...)
	l.scratch = b
	l.line(b)
}

// report writes the END and REPORT lines of an invocation, behind the output of the function, and returns its output with
// the tail of the log.
func (e *environment) report(i *invocation, a *answer) *spec.Output {
	f, l := e.function, e.logs
	f.mu.Lock()
	took := time.Since(i.start)
	var initTook time.Duration
	if !e.initTold {
		initTook, e.initTold = e.initTook, true
	}
	f.mu.Unlock()
	l.drain()
	used := e.maxMemory()

	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.flush()
	}
	if a.line != "" {
		l.line([]byte(a.line))
	}
	b := append(l.scratch[:0], "END RequestId: "...)
	b = append(b, i.id...)
	l.line(b)
	b = append(b[:0], "REPORT RequestId: "...)
	b = append(b, i.id...)
	b = appendTime(b, "\tDuration: ", took)
	// The init is billed with the invocation that waited for it.
	b = append(b, "\tBilled Duration: "...)
	b = strconv.AppendInt(b, int64(math.Ceil(milliseconds(took+initTook))), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(f.MemorySize), 10)
	b = append(b, " MB"...)
	if used > 0 {
		b = append(b, "\tMax Memory Used: "...)
		b = strconv.AppendInt(b, int64(used), 10)
		b = append(b, " MB"...)
	}
	if initTook > 0 {
		b = appendTime(b, "\tInit Duration: ", initTook)
	}
	b = appendStatus(b, a.status, a.kind)
	l.scratch = b
	l.line(b)
	out := a.output(i.id)
	if i.tail {
		out.LogTail = l.tail.bytes()
	}
	if invoked := f.service.options.Invoked; invoked != nil {
		invoked(f.Name, i.payload, out.Payload, out.FunctionError != "", took)
	}
	return out
}

// initReport writes the line about a failed init.
func (l *logs) initReport(took time.Duration, status, kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := appendTime(l.scratch[:0], "INIT_REPORT Init Duration: ", took)
	b = append(b, "\tPhase: init"...)
	b = appendStatus(b, status, kind)
	l.scratch = b
	l.line(b)
}

func appendStatus(b []byte, status, kind string) []byte {
	if status == "" {
		return b
	}
	b = append(b, "\tStatus: "...)
	b = append(b, status...)
	if status == "error" {
		b = append(b, "\tError Type: "...)
		b = append(b, kind...)
	}
	return b
}

func appendTime(b []byte, name string, d time.Duration) []byte {
	b = append(b, name...)
	b = strconv.AppendFloat(b, milliseconds(d), 'f', 2, 64)
	return append(b, " ms"...)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
