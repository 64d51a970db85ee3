package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/shared/database"
	"github.com/eragon-mdi/ksu/shared/task"
)

// unavailable makes an error that comes from an unreachable server wrap task.ErrUnavailable and leaves others alone. A
// time-out counts, since a server that does not answer in time cannot be reached; a caller that gave up does not.
func unavailable(err error) error {
	if err == nil || errors.Is(err, task.ErrUnavailable) || errors.Is(err, context.Canceled) {
		return err
	}
	var answered *pgconn.PgError
	if errors.As(err, &answered) {
		if !passing(answered.Code) {
			return err
		}
	} else if !cut(err) {
		return err
	}
	return fmt.Errorf("%w: %w", task.ErrUnavailable, err)
}

// passing says whether the server refuses for now, not because of what was asked. See
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func passing(code string) bool {
	switch code {
	case "57P01", "57P02", "57P03", // shutting down, crashed, starting up
		"53300", // too many connections
		"25006": // read-only: a fail-over made this server the standby
		return true
	}
	return strings.HasPrefix(code, "08") // connection exceptions
}

// cut says whether the connection failed, or there was none, be it for want of credentials.
func cut(err error) bool {
	return errors.As(err, new(*pgconn.ConnectError)) || errors.Is(err, database.ErrNoCredentials) || errors.As(err, new(net.Error)) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err) // before a byte was sent
}
