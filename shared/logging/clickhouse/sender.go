package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

// batch is the lines that are sent together. It lives until they are known to be stored.
type batch struct {
	// id is the deduplication token and the column batch.
	id   string
	rows []*row
	// doubtful means that a failed attempt may have stored the batch.
	doubtful bool
}

// sender is the state of the goroutine that sends.
type sender struct {
	*Sink
	batch *batch
	spare []*row // the slice of the last batch
	// failures counts consecutive failures. reportedAt is when one was last reported, dropAt the same for dropped
	// lines.
	failures           int
	reportedAt, dropAt time.Time
}

// run sends due lines until the sink is closed.
func (s *Sink) run() {
	defer close(s.stopped)
	snd := &sender{Sink: s}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(snd.work())
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// work sends all due lines and returns the time until the next are due.
func (s *sender) work() time.Duration {
	for s.ctx.Err() == nil {
		if s.batch == nil {
			if wait := s.take(); s.batch == nil {
				s.connectEarly()
				return wait // after a failed early connection, the first batch waits for its retry
			}
		}
		if wait := s.untilRetry(); wait > 0 {
			return wait
		}
		err := s.deliver()
		s.settle(err)
		s.dropsNow()
	}
	return time.Hour
}

// take makes a batch of the due lines, or returns the time until some are.
func (s *sender) take() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buf.n == 0 {
		return time.Hour
	}
	wait := time.Until(s.buf.oldest().Add(s.cfg.BatchInterval))
	if s.settled() >= s.flush && s.buf.n < s.cfg.BatchSize && wait > 0 {
		return wait
	}
	s.batch = &batch{id: uuid.NewString(), rows: s.buf.take(s.spare, max(maxBatch, s.cfg.BatchSize))}
	s.spare, s.pending = nil, len(s.batch.rows)
	return 0
}

// untilRetry returns the rest of the pause after a failure.
func (s *sender) untilRetry() time.Duration {
	if s.failures == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.retryAt)
}

// connectEarly makes the connection that Start requested.
func (s *sender) connectEarly() {
	if s.early.Swap(false) && s.failures == 0 {
		if _, err := s.conn.ServerVersion(); err != nil { // this needs a connection
			s.failed(fmt.Errorf("connect to %s: %w", s.cfg.Address, err))
		}
	}
}

// deliver sends the batch.
func (s *sender) deliver() error {
	ctx, cancel := context.WithTimeout(s.ctx, sendTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, s.closeSocket)()
	return s.insert(ctx, s.batch)
}

// settle records the outcome of an attempt and informs the Flushes that wait for it.
func (s *sender) settle(err error) {
	if s.ctx.Err() != nil {
		return // Close counts the rest
	}
	if err == nil {
		s.succeeded()
	} else {
		s.failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	settled := s.settled()
	waiting := s.waiters[:0]
	for _, w := range s.waiters {
		switch {
		case settled >= w.until:
			w.done <- nil
		case err != nil:
			w.done <- fmt.Errorf("%w: %w", ErrAway, err)
		default:
			waiting = append(waiting, w)
		}
	}
	s.waiters = waiting
}

func (s *sender) succeeded() {
	rows := s.batch.rows
	for i, r := range rows {
		r.free()
		rows[i] = nil
	}
	s.spare, s.batch = rows[:0], nil
	s.mu.Lock()
	s.pending, s.retryAt, s.late = 0, time.Time{}, 0
	s.mu.Unlock()
	if !s.reportedAt.IsZero() {
		s.log.Info("ClickHouse accepts log lines again", "attempts", s.failures+1)
	}
	s.failures, s.reportedAt = 0, time.Time{}
}

func (s *sender) failed(err error) {
	s.closeSocket() // whatever the connection's state, the next attempt makes a new one
	s.failures++
	now := time.Now()
	next := now.Add(s.cfg.pause(s.failures + 1 - s.cfg.ConnectionAttempts))
	s.mu.Lock()
	if next.After(s.retryAt) {
		s.retryAt = next
	}
	kept := s.pushed - s.settled()
	s.mu.Unlock()
	// An error answer of the server, such as a missing table, is reported at once.
	var refused *ch.Exception
	if !errors.As(err, &refused) && !errors.Is(err, errTable) && s.failures < s.cfg.ConnectionAttempts || !s.reportedAt.IsZero() && now.Sub(s.reportedAt) < reportPeriod {
		return
	}
	s.reportedAt = now
	s.log.Error("log lines not sent to ClickHouse", "error", err, "attempts", s.failures, "kept", kept)
}

// dropsNow reports dropped lines, at most once a reportPeriod.
func (s *sender) dropsNow() {
	if now := time.Now(); now.Sub(s.dropAt) >= reportPeriod && s.reportDropped() {
		s.dropAt = now
	}
}

// reportDropped logs how many lines were dropped since its last report, and reports whether there were any.
func (s *Sink) reportDropped() bool {
	s.mu.Lock()
	more, all := s.buf.dropped-s.reported, s.buf.dropped
	s.reported = all
	s.mu.Unlock()
	if more > 0 {
		s.log.Warn("log lines dropped before ClickHouse", "lines", more, "total", all)
	}
	return more > 0
}
