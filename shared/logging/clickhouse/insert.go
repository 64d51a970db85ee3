package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// connection sets up the client, which connects at its first use. One goroutine sends, so one connection is enough.
func (s *Sink) connection() (driver.Conn, error) {
	options := &ch.Options{
		Addr:        s.cfg.addresses(),
		Auth:        ch.Auth{Database: s.cfg.Database, Username: s.cfg.Username, Password: s.cfg.Password},
		Compression: &ch.Compression{Method: ch.CompressionLZ4},
		DialTimeout: dialTimeout, ReadTimeout: sendTimeout,
		MaxOpenConns: 1, MaxIdleConns: 1,
		DialContext: s.dial,
	}
	return ch.Open(options)
}

// dial connects and remembers the socket. Closing the socket is the only way to interrupt the client, which also leaves
// it open when the handshake fails.
func (s *Sink) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if s.cfg.Secure {
		dialer = &tls.Dialer{}
	}
	socket, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s.socketMu.Lock()
	previous := s.socket
	s.socket = socket
	s.socketMu.Unlock()
	if previous != nil {
		_ = previous.Close()
	}
	if s.ctx.Err() != nil {
		s.closeSocket()
	}
	return socket, nil
}

func (s *Sink) closeSocket() {
	s.socketMu.Lock()
	defer s.socketMu.Unlock()
	if s.socket != nil {
		_ = s.socket.Close()
		s.socket = nil
	}
}

const insertStatement = "INSERT INTO logs (timestamp, nanosecond, level, function, version, message, request_id, trace_id, " +
	"task_id, attempt, source, attributes, batch, line)"

// errTable means that the table's columns are not those of the migrations.
var errTable = errors.New("log lines do not fit the table logs")

// insert stores a batch once, however often it is called.
func (s *sender) insert(ctx context.Context, b *batch) error {
	server, err := s.conn.ServerVersion()
	if err != nil {
		return fmt.Errorf("connect to %s: %w", s.cfg.Address, err)
	}
	if b.doubtful {
		stored, err := s.stored(ctx, b)
		if err != nil {
			return fmt.Errorf("look for a batch of log lines: %w", err)
		}
		if stored {
			return nil
		}
	}
	set, async := settings(server, b.id)
	options := []ch.QueryOption{ch.WithSettings(set)}
	if async {
		options = append(options, ch.WithAsync(true))
	}
	insert, err := s.conn.PrepareBatch(ch.Context(ctx, options...), insertStatement)
	if err != nil {
		return fmt.Errorf("insert log lines: %w", err)
	}
	if err := s.fill(insert, b); err != nil {
		_ = insert.Abort()
		return fmt.Errorf("%w: %w", errTable, err)
	}
	b.doubtful = true
	if err := insert.Send(); err != nil {
		return fmt.Errorf("insert log lines: %w", err)
	}
	return nil
}

// stored checks whether an earlier attempt succeeded after all. The lines of a batch are of one month, and hence stored
// as a whole or not at all.
func (s *sender) stored(ctx context.Context, b *batch) (bool, error) {
	from, to := b.rows[0].at, b.rows[0].at
	for _, r := range b.rows {
		if r.at.Before(from) {
			from = r.at
		}
		if r.at.After(to) {
			to = r.at
		}
	}
	var n uint64
	err := s.conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM logs WHERE function = ? AND batch = ? "+
		"AND timestamp >= toDateTime(%d) AND timestamp <= toDateTime(%d)", from.Unix(), to.Unix()), s.cfg.Function, b.id).Scan(&n)
	return n > 0, err
}

// settings are the insert settings of the server's version. Servers refuse unknown settings.
//
// insert_deduplication_token is of 22.2; it needs the table's non_replicated_deduplication_window. With async_insert,
// the server merges the small batches of many functions into one part. It accepts data from the native protocol since
// 23.10, and keeps them for at most async_insert_busy_timeout_ms, for which the end of an invocation may have to wait.
func settings(server *driver.ServerVersion, token string) (set ch.Settings, async bool) {
	set = ch.Settings{}
	if atLeast(server, 22, 2) {
		set["insert_deduplication_token"] = token
	}
	if atLeast(server, 23, 10) {
		set["async_insert_deduplicate"] = 1
		set["async_insert_busy_timeout_ms"] = 20
		async = true
	}
	return set, async
}

func atLeast(server *driver.ServerVersion, major, minor uint64) bool {
	return server.Version.Major > major || server.Version.Major == major && server.Version.Minor >= minor
}
