package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
	"github.com/eragon-mdi/ksu/shared/task"
)

// reaction is the store's immediate reaction to a statement that the server refused for now.
type reaction int

const (
	// wait leaves the next attempt to the caller: an immediate one would fail too.
	wait reaction = iota
	// repeat runs the statement again on the same connection. The server has rolled it back.
	repeat
	// reconnect drops all connections of the pool and runs the statement again. The server refused it before it had an
	// effect.
	reconnect
	// replace drops all connections of the pool. The statement may have been committed, so only a statement that may
	// run twice runs again.
	replace
)

// refusal is a class of errors with which Postgres, or a pooler in front of it, refuses for now, whatever the
// statement.
type refusal struct {
	// code is an SQLSTATE, or the first two characters of all states of a class.
	code     string
	reaction reaction
	reason   string
}

// refusals are all of these classes. A full code precedes its class. Every other state is final: the same statement
// would fail again.
//
// The states are from https://www.postgresql.org/docs/current/errcodes-appendix.html.
var refusals = []refusal{
	{"08P01", replace, "a pooler ended the connection, such as after query_wait_timeout"},
	{"08", replace, "the connection failed"},
	{"25006", reconnect, "the server is read-only: a failover made it the standby, and its name leads to the new primary"},
	{"40001", repeat, "the transaction lost a race against another one"},
	{"40P01", repeat, "the transaction was chosen to break a deadlock"},
	{"53100", wait, "the disk is full"},
	{"53200", wait, "the server is out of memory"},
	{"53300", wait, "the server, or the role, has no connection left"},
	{"53", wait, "the server lacks another resource"},
	{"55P03", wait, "another transaction holds the lock for longer than lock_timeout"},
	{"57014", wait, "the server cancelled the statement, such as after statement_timeout"},
	{"57P01", replace, "the server shuts down, or an administrator ended the connection"},
	{"57P02", replace, "the server crashed"},
	{"57P03", replace, "the server starts up or recovers"},
	{"57P05", reconnect, "the server ended the connection because it was idle"},
	{"58030", wait, "the server's disk returned an error"},
}

// refusalOf returns the class of an error from the server; nil for a final one and for other errors.
func refusalOf(err error) *refusal {
	var answered *pgconn.PgError
	if !errors.As(err, &answered) {
		return nil
	}
	for i := range refusals {
		if strings.HasPrefix(answered.Code, refusals[i].code) {
			return &refusals[i]
		}
	}
	return nil
}

// Passing reports whether an error may be transient: the server refused for now, did not answer in time, or was
// unreachable. The error of a caller that gave up is final.
func Passing(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if errors.As(err, new(*pgconn.PgError)) {
		return refusalOf(err) != nil
	}
	return cut(err)
}

// cut reports whether the connection failed or could not be made. Missing credentials count.
func cut(err error) bool {
	return errors.As(err, new(*pgconn.ConnectError)) || errors.Is(err, pgconf.ErrNoCredentials) || errors.As(err, new(net.Error)) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err) // no byte was sent
}

// unavailable wraps a transient error in task.ErrUnavailable and returns every other error unchanged.
func unavailable(err error) error {
	if !Passing(err) || errors.Is(err, task.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", task.ErrUnavailable, err)
}

// reactionTo returns the immediate reaction to a transient error. After a failed connection, the statement's outcome is
// unknown, unless no byte of it was sent. If not even a connection could be made, another attempt is useless.
func reactionTo(err error) reaction {
	if errors.As(err, new(*pgconn.ConnectError)) {
		return wait
	}
	if r := refusalOf(err); r != nil {
		return r.reaction
	}
	if pgconn.SafeToRetry(err) {
		return reconnect
	}
	return replace
}
