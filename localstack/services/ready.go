package services

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs, see "PostgreSQL Error Codes" in its manual.
const (
	cannotConnectNow = "57P03" // starting up, or recovering after a crash
	noSuchDatabase   = "3D000"
)

// ready waits until the server accepts connections to the database, which it creates if it is missing.
func ready(ctx context.Context, p *program, port int, password, database string) error {
	// If a stranger took the port first, he may never answer, while our server ends.
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.done:
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
		case errors.As(err, &refused) && refused.Code != cannotConnectNow && !p.ended():
			return fmt.Errorf("connect to the server: %w", err)
		}
		select {
		case <-tick.C:
		case <-p.done:
			return p.failure()
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
