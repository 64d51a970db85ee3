package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// buildAndStartDatabase does both at once: neither needs the other, and both take a while.
func (s *stack) buildAndStartDatabase(ctx context.Context) error {
	s.begun = true
	functions, err := s.functionsToBuild()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var buildErr, databaseErr error
	var both sync.WaitGroup
	both.Go(func() {
		if buildErr = s.buildFunctions(ctx, functions); buildErr != nil {
			cancel()
		}
	})
	both.Go(func() {
		if databaseErr = s.openPostgres(ctx); databaseErr != nil {
			cancel()
		}
	})
	both.Wait()
	if errors.Is(databaseErr, context.Canceled) && buildErr != nil {
		databaseErr = nil // the build's failure is the reason
	}
	if errors.Is(buildErr, context.Canceled) && databaseErr != nil {
		buildErr = nil
	}
	return errors.Join(buildErr, databaseErr)
}

// openPostgres starts a private server where the storage is one, and waits for a server that the user named.
func (s *stack) openPostgres(ctx context.Context) error {
	if s.storage.start {
		return s.startPostgres(ctx)
	}
	if s.storage.address == nil {
		return nil
	}
	return s.reachPostgres(ctx)
}

// patience is how long a Postgres that does not answer is waited for: one that was just started needs some seconds.
const patience = 10 * time.Second

// reachPostgres waits until the user's server accepts connections, so that he sees what is waited for, and one error.
func (s *stack) reachPostgres(ctx context.Context) error {
	address := s.storage.address
	err := s.console.Timed(fmt.Sprintf("wait for Postgres at %s, at most %s", address, patience), func() error {
		return address.Reach(ctx, patience)
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s, cannot be reached: %w; start it or correct the URL, or give none: the local stack then keeps the tasks by itself", s.storage.what, err)
	}
	return err
}

// databaseName is the database of the private server.
const databaseName = "ksu"

func (s *stack) startPostgres(ctx context.Context) error {
	dir, err := s.options.dataPath(postgresFolder)
	if err != nil {
		return err
	}
	var server *postgres.Server
	err = s.console.Timed("start Postgres", func() (err error) {
		server, err = postgres.Start(ctx, postgres.Options{
			Dir: dir, Processes: s.processes, Database: databaseName,
			Log: func(line string) { s.console.Log("postgres", []byte(line)) },
		})
		return err
	})
	if errors.Is(err, postgres.ErrNotInstalled) && s.declares(storageTypeParameter) {
		err = fmt.Errorf("%w\n  - do without: --storage internal keeps the data in a file (make run STORAGE=internal)", err)
	}
	if err != nil {
		return err
	}
	s.onStop(server.Close)
	go func() {
		<-server.Done()
		if err := server.Err(); err != nil {
			s.fail(err)
		}
	}()
	s.storage.parameters[databaseParameter] = server.URL()
	s.storage.what = server.What() + ", " + redacted(server.URL())
	return nil
}

// fail ends the stack with an error; only the first counts.
func (s *stack) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// redacted is a URL without its password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(not a URL)"
	}
	u.RawQuery = ""
	return u.Redacted()
}
