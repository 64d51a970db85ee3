package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"ksu/localstack/services"
)

// buildAndStartDatabase does both at once: neither needs the other, and both take a while.
func (s *stack) buildAndStartDatabase(ctx context.Context) error {
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
		if databaseErr = s.startPostgres(ctx); databaseErr != nil {
			cancel()
		}
	})
	both.Wait()
	if errors.Is(databaseErr, context.Canceled) {
		databaseErr = nil // the build's failure is the reason
	}
	if errors.Is(buildErr, context.Canceled) && databaseErr != nil {
		buildErr = nil
	}
	return errors.Join(buildErr, databaseErr)
}

// startPostgres starts a private server where the storage is one.
func (s *stack) startPostgres(ctx context.Context) error {
	if !s.storage.start {
		return nil
	}
	dir, err := s.options.dataPath(postgresFolder)
	if err != nil {
		return err
	}
	var postgres *services.Postgres
	err = s.console.timed("start Postgres", func() (err error) {
		postgres, err = services.StartPostgres(ctx, services.PostgresOptions{
			Dir: dir, Processes: s.processes,
			Log: func(line string) { s.console.log("postgres", []byte(line)) },
		})
		return err
	})
	if errors.Is(err, services.ErrNoPostgres) && s.declares(storageTypeParameter) {
		err = fmt.Errorf("%w\n  - do without: --storage internal keeps the data in a file (make run STORAGE=internal)", err)
	}
	if err != nil {
		return err
	}
	s.onStop(postgres.Close)
	go func() {
		<-postgres.Done()
		if err := postgres.Err(); err != nil {
			s.fail(err)
		}
	}()
	s.storage.parameters[databaseParameter] = postgres.URL()
	s.storage.what = postgres.What() + ", " + redacted(postgres.URL())
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
