// Package clickhouse sends log lines to ClickHouse in batches. The writers of lines never wait.
//
// Handle encodes a line into a bounded buffer. One goroutine sends the lines when a batch is full, when a line has
// waited long enough, and when Flush asks for it. Lambda freezes the process between invocations, so only a Flush at
// the end of each invocation sends lines in time. While ClickHouse is down, the buffer keeps the newest lines, drops
// and counts the oldest, and nobody waits. If an insert may have succeeded, the sink first looks for the batch. If it
// is missing, the sink sends it again under the same deduplication token: servers older than 22.2 ignore tokens.
package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Config configures the server and the delivery. Zero fields get the default that each comment names.
type Config struct {
	// Address is host:port of the native protocol, several separated by commas; required.
	Address string
	// Username and Password are the account; "default" and none.
	Username, Password string
	// Database holds the table logs; "default".
	Database string
	// Secure uses TLS.
	Secure bool
	// ConnectionAttempts is the number of attempts that are TryConnectionPeriod apart; 5. Then the pauses double up to
	// a minute. A failure to connect is reported after that many attempts; an error of the server is reported at once.
	ConnectionAttempts int
	// TryConnectionPeriod is the first pause after a failure; 3 s.
	TryConnectionPeriod time.Duration
	// BatchSize is the number of lines that is sent without waiting for more; 1000.
	BatchSize int
	// BatchInterval is how long a line waits for others at most; 10 s.
	BatchInterval time.Duration
	// BufferSize is how many unsent lines are kept; 10000. Their texts are limited to 16 MiB as well.
	BufferSize int
	// Level is the lowest level that is sent; nil is info.
	Level slog.Leveler
	// Source fills the column source.
	Source bool
	// Function and Version fill the columns of these names.
	Function, Version string
	// Log gets the sink's own reports: ClickHouse is down or back, lines were dropped. It must not lead back into the
	// sink. Nil discards them.
	Log *slog.Logger
}

// ErrAway means that lines were not sent because ClickHouse is unreachable or refuses them; the buffer keeps them.
var ErrAway = errors.New("ClickHouse is away")

const (
	// maxBytes bounds the texts of the buffer, and separately those of the batch in progress.
	maxBytes = 16 << 20
	// maxBatch bounds a batch of a backlog.
	maxBatch = 10_000
	// sendTimeout is how long a batch may take.
	sendTimeout = 10 * time.Second
	// dialTimeout bounds a connection attempt with its handshake.
	dialTimeout = 3 * time.Second
	// reportPeriod is how often a lasting failure, or more dropped lines, are reported.
	reportPeriod = time.Minute
	// maxPause bounds the growth of the pauses between attempts.
	maxPause = time.Minute
)

// Sink owns the buffer and the connection. Its Handler feeds it.
type Sink struct {
	cfg   Config
	level slog.Leveler
	log   *slog.Logger
	conn  driver.Conn
	// wake tells the sender to look again.
	wake chan struct{}
	// ctx ends with the sink; stopped is closed when the sender has ended.
	ctx     context.Context
	stop    context.CancelFunc
	stopped chan struct{}
	once    sync.Once

	mu  sync.Mutex
	buf buffer
	// pushed counts all accepted lines; pending those of the batch in progress. A line that is neither pending nor in
	// the buffer is settled.
	pushed  uint64
	pending int
	// flush is the number of the last line that a Flush waits for.
	flush   uint64
	waiters []waiter
	// retryAt is when the next attempt after a failure is due; zero without a failure. late counts the Flushes since
	// then that waited in vain. While a server hangs, each makes the next one wait later.
	retryAt  time.Time
	late     int
	reported uint64 // dropped lines that were reported

	socketMu sync.Mutex
	socket   net.Conn

	// early requests a connection before there are lines to send.
	early atomic.Bool
}

// waiter is a Flush that waits until a number of lines are settled.
type waiter struct {
	until uint64
	done  chan error // buffered
}

// Open returns a sink. It connects when the first lines are due, or at Start.
func Open(cfg Config) (*Sink, error) {
	if cfg.Address == "" {
		return nil, errors.New("open the ClickHouse sink: the address is empty")
	}
	cfg = cfg.withDefaults()
	s := &Sink{cfg: cfg, level: cfg.Level, log: cfg.Log, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	s.buf.init(cfg.BufferSize, maxBytes)
	s.ctx, s.stop = context.WithCancel(context.Background())
	conn, err := s.connection()
	if err != nil {
		return nil, fmt.Errorf("open the ClickHouse sink: %w", err)
	}
	s.conn = conn
	go s.run()
	return s, nil
}

func (c Config) withDefaults() Config {
	text := func(v *string, def string) {
		if *v == "" {
			*v = def
		}
	}
	number := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	period := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	text(&c.Username, "default")
	text(&c.Database, "default")
	number(&c.ConnectionAttempts, 5)
	number(&c.BatchSize, 1000)
	number(&c.BufferSize, 10_000)
	period(&c.TryConnectionPeriod, 3*time.Second)
	period(&c.BatchInterval, 10*time.Second)
	if c.Level == nil {
		c.Level = slog.LevelInfo
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// pause returns how long the sink waits after a failure: the first pause, doubled the given number of times, up to a
// minute.
func (c Config) pause(doubled int) time.Duration {
	pause := c.TryConnectionPeriod
	for ; doubled > 0 && pause < maxPause; doubled-- {
		pause *= 2
	}
	return min(pause, max(maxPause, c.TryConnectionPeriod))
}

// Start connects in the background, so that due lines find a connection. It returns at once.
func (s *Sink) Start() {
	s.early.Store(true)
	s.kick()
}

// add accepts a line.
func (s *Sink) add(r *row) {
	s.mu.Lock()
	s.buf.push(r)
	s.pushed++
	n := s.buf.n
	s.mu.Unlock()
	if n == 1 || n == s.cfg.BatchSize { // the sender sets its timer, or sends
		s.kick()
	}
}

func (s *Sink) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// settled counts the lines that were sent or dropped. The caller holds mu.
func (s *Sink) settled() uint64 { return s.pushed - uint64(s.buf.n+s.pending) }

// Flush sends the lines that were logged before it. It returns when they are sent, or when ctx ends. After a failure,
// it returns ErrAway at once until the next attempt is due. Unsent lines stay in the buffer, and a running attempt
// continues. A Flush that ctx ends counts as a failure. So if a server hangs, few Flushes wait for it, and the pauses
// between them grow.
func (s *Sink) Flush(ctx context.Context) error {
	s.mu.Lock()
	if s.settled() == s.pushed {
		s.mu.Unlock()
		return nil
	}
	if time.Now().Before(s.retryAt) {
		s.mu.Unlock()
		return ErrAway
	}
	w := waiter{until: s.pushed, done: make(chan error, 1)}
	s.flush = s.pushed
	s.waiters = append(s.waiters, w)
	s.mu.Unlock()
	s.kick()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := time.Now(); s.settled() < w.until && !now.Before(s.retryAt) {
			s.retryAt = now.Add(s.cfg.pause(s.late))
			s.late++
		}
		return fmt.Errorf("flush %d log lines to ClickHouse: %w", s.pushed-s.settled(), ctx.Err())
	}
}

// Dropped returns how many lines were dropped because the buffer was full.
func (s *Sink) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.dropped
}

// Close sends the buffered lines until ctx ends, and ends the sink. Unsent lines are lost, and Log gets their number.
// Later lines are ignored. A second Close does nothing.
func (s *Sink) Close(ctx context.Context) error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.retryAt = time.Time{} // no later attempt will come
		s.mu.Unlock()
		err = s.Flush(ctx)
		s.stop()
		s.closeSocket()
		<-s.stopped
		s.mu.Lock()
		left := s.pushed - s.settled()
		s.mu.Unlock()
		s.reportDropped()
		if left > 0 {
			s.log.Error("log lines lost at the end of the process", "lines", left)
		}
		err = errors.Join(err, s.conn.Close())
	})
	return err
}

// addresses splits the list.
func (c Config) addresses() []string { return strings.Split(c.Address, ",") }
