package config

import (
	"fmt"
	"net"
	neturl "net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check reports keys that contradict each other although each has an allowed value.
func (l *loader) check() {
	c := l.config
	l.checkConcurrency()
	l.checkJob()
	if c.ClickHouse.BufferSize < c.ClickHouse.BatchSize && l.right("clickhouse.buffer_size", "clickhouse.batch_size") {
		l.problem("%s: clickhouse.buffer_size is \"%d\"; allowed are numbers from clickhouse.batch_size (%d, %s)",
			l.source("clickhouse.buffer_size"), c.ClickHouse.BufferSize, c.ClickHouse.BatchSize, l.source("clickhouse.batch_size"))
	}
	if l.right("storage.secret_arn", "storage.auth", "storage.host", "storage.database_url", "storage.ssl_mode") {
		l.checkCredentials()
	}
}

// checkConcurrency reports environments whose jobs together exceed the semaphore.
func (l *loader) checkConcurrency() {
	a := &l.config.App
	if !l.right("app.semaphore", "app.jobs_per_invocation", "app.worker_concurrency") {
		return
	}
	const least = 2 // worker environments: the minimum of MaximumConcurrency
	most := a.Semaphore / a.JobsPerInvocation
	allowed := fmt.Sprintf("allowed are whole numbers from %d to %d, which is app.semaphore (%d, %s) / app.jobs_per_invocation (%d, %s)",
		least, most, a.Semaphore, l.source("app.semaphore"), a.JobsPerInvocation, l.source("app.jobs_per_invocation"))
	switch {
	case most < least:
		l.problem("%s: app.jobs_per_invocation is \"%d\"; app.semaphore (%d, %s) must be at least twice that, %d",
			l.source("app.jobs_per_invocation"), a.JobsPerInvocation, a.Semaphore, l.source("app.semaphore"), least*a.JobsPerInvocation)
	case a.WorkerConcurrency == 0 && a.JobsPerInvocation > 1:
		l.problem("%s: app.jobs_per_invocation is \"%d\"; app.worker_concurrency must then be given: %s",
			l.source("app.jobs_per_invocation"), a.JobsPerInvocation, allowed)
	case a.WorkerConcurrency > most:
		l.problem("%s: app.worker_concurrency is \"%d\"; %s", l.source("app.worker_concurrency"), a.WorkerConcurrency, allowed)
	}
}

// checkCredentials reports contradictions about the source of the database's user and password.
func (l *loader) checkCredentials() {
	s := &l.config.Storage
	if s.SecretARN != "" && s.Auth == "iam" {
		l.problem("%s: storage.auth is \"iam\"; allowed is password, because storage.secret_arn (%s) names the credentials",
			l.source("storage.auth"), l.source("storage.secret_arn"))
	}
	if mode := s.sslMode(); s.Auth == "iam" && s.SecretARN == "" && !slices.Contains(encrypted, mode) {
		l.problem("%s: storage.ssl_mode is %q; allowed with storage.auth iam (%s), which sends a token, are %s",
			l.source(s.sslModeKey()), mode, l.source("storage.auth"), strings.Join(encrypted, ", "))
	}
	if s.SecretARN != "" && s.Host == "" && s.DatabaseURL == "" {
		l.problem("%s: storage.host is \"\"; storage.secret_arn requires it (%s)", l.source("storage.host"), l.source("storage.secret_arn"))
	}
}

// checkJob refuses durations for which no worker has the time: each such task would fail.
func (l *loader) checkJob() {
	c := l.config
	const kept = ClaimTime + EndingTime
	most := c.App.LongestJob()
	for _, bound := range []struct {
		name string
		d    time.Duration
	}{{"job.min_duration", c.Job.MinDuration}, {"job.max_duration", c.Job.MaxDuration}} {
		if bound.d > most && l.right(bound.name, "app.worker_timeout") {
			l.problem("%s: %s is %q; allowed are durations up to %s: of app.worker_timeout (%.0f s, %s) a worker keeps %.0f s to claim the task and to write its ending",
				l.source(bound.name), bound.name, bound.d, most, c.App.WorkerTimeout.Seconds(), l.source("app.worker_timeout"), kept.Seconds())
		}
	}
	if c.Job.MaxDuration < c.Job.MinDuration && l.right("job.min_duration", "job.max_duration") {
		l.problem("%s: job.max_duration is %q; allowed are durations from job.min_duration (%s, %s)",
			l.source("job.max_duration"), c.Job.MaxDuration, c.Job.MinDuration, l.source("job.min_duration"))
	}
}

// encrypted are the modes that never fall back to a connection without TLS.
var encrypted = []string{"require", "verify-ca", "verify-full"}

// sslModeKey returns the key that sets the sslmode.
func (s *Storage) sslModeKey() string {
	if s.DatabaseURL != "" {
		return "storage.database_url"
	}
	return "storage.ssl_mode"
}

// sslMode returns the sslmode of the connection, "" for a URL without one: the driver then chooses.
func (s *Storage) sslMode() string {
	if s.DatabaseURL == "" {
		return s.SSLMode
	}
	u, err := neturl.Parse(string(s.DatabaseURL))
	if err != nil {
		return "" // the key's own check has reported it
	}
	return u.Query().Get("sslmode")
}

// right reports whether all named keys parsed. A key that did not parse has its default.
func (l *loader) right(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return l.entry(name).wrong })
}

// source returns the place of a key's value, for errors.
func (l *loader) source(name string) string {
	if s := l.entry(name).source; s != "" {
		return s
	}
	return "default"
}

// URL is the connection URL of the database, with the password: DatabaseURL, or a URL of Host to SSLMode. It is "" if
// both are empty.
func (s Storage) URL() string {
	if s.DatabaseURL != "" || s.Host == "" {
		return string(s.DatabaseURL)
	}
	u := neturl.URL{
		Scheme:   "postgres",
		User:     neturl.User(s.User),
		Host:     net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		Path:     "/" + s.Name,
		RawQuery: neturl.Values{"sslmode": {s.SSLMode}}.Encode(),
	}
	if s.Password != "" {
		u.User = neturl.UserPassword(s.User, string(s.Password))
	}
	return u.String()
}
