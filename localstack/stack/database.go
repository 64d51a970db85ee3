package stack

import (
	"context"
	"errors"
	"net/url"
	"sync"

	"ksu/localstack/services"
)

// databaseParameter is the template parameter that the local stack fills in with its database's URL, unless the user
// gives it. A template without it gets no database.
const databaseParameter = "DatabaseUrl"

// database is where the template's functions keep their data.
type database struct {
	// url is "" where the template asks for none.
	url string
	// what says which one it is, without its password.
	what string
}

// buildAndStartDatabase does both at once: neither needs the other, and both take a while.
func (s *stack) buildAndStartDatabase(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var buildErr, databaseErr error
	var both sync.WaitGroup
	both.Go(func() {
		if buildErr = s.buildFunctions(ctx); buildErr != nil {
			cancel()
		}
	})
	both.Go(func() {
		if databaseErr = s.openDatabase(ctx); databaseErr != nil {
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

// openDatabase takes the database that the user named, or starts a private one.
func (s *stack) openDatabase(ctx context.Context) error {
	declared := false
	for _, p := range s.template.Parameters {
		declared = declared || p.Name == databaseParameter
	}
	_, given := s.options.Parameters[databaseParameter]
	found, configured := s.configured(databaseParameter)
	switch {
	case !declared:
		return nil
	case given:
		s.database = database{url: s.options.Parameters[databaseParameter], what: "the database of --parameter-overrides " + databaseParameter}
		return nil
	case configured:
		s.database = database{url: found.Value, what: "Postgres of " + found.Source + ", " + redacted(found.Value)}
		return nil
	case s.options.DatabaseURL != "":
		s.database = database{url: s.options.DatabaseURL, what: "Postgres of DATABASE_URL, " + redacted(s.options.DatabaseURL)}
		return nil
	}
	return s.startPostgres(ctx)
}

func (s *stack) startPostgres(ctx context.Context) error {
	dir, err := s.options.dataPath("postgres")
	if err != nil {
		return err
	}
	done := s.console.timed("stack", "start Postgres")
	postgres, err := services.StartPostgres(ctx, services.PostgresOptions{
		Dir: dir, Processes: s.processes,
		Log: func(line string) { s.console.log("postgres", []byte(line)) },
	})
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
	s.database = database{url: postgres.URL(), what: postgres.What() + ", " + redacted(postgres.URL())}
	done()
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
