package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/localstack/services/run"
)

// superuser is the one role of a new data folder.
const superuser = "postgres"

// SQLSTATEs, see "PostgreSQL Error Codes" in its manual.
const (
	cannotConnectNow = "57P03" // starting up, or recovering after a crash
	noSuchDatabase   = "3D000"
)

// awaitConnection waits until the server accepts connections to the database. It creates the database if it is missing.
func awaitConnection(ctx context.Context, p *run.Program, port int, password, database string) error {
	// Another process may have taken the port. It may never answer, while our server ends.
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := connect(ctx, connectionURL(port, password, database), "")
		var refused *pgconn.PgError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused) && refused.Code == noSuchDatabase:
			create := "CREATE DATABASE " + pgx.Identifier{database}.Sanitize()
			if err := connect(ctx, connectionURL(port, password, "postgres"), create); err != nil {
				return fmt.Errorf("create the database %s: %w", database, err)
			}
			return nil
		case errors.As(err, &refused) && refused.Code != cannotConnectNow && !p.Ended():
			return fmt.Errorf("connect to the server: %w", err)
		}
		select {
		case <-tick.C:
		case <-p.Done():
			return p.Failure()
		case <-caller.Done():
			return caller.Err()
		}
	}
}

// connect opens a connection, runs the statement unless it is empty, and closes the connection.
func connect(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if statement == "" {
		return nil
	}
	_, err = conn.Exec(ctx, statement)
	return err
}

// connectionURL returns the URL of a database on 127.0.0.1.
func connectionURL(port int, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
