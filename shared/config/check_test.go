package config

import (
	"strings"
	"testing"
)

func TestKeysThatContradict(t *testing.T) {
	for _, c := range []struct{ variables, want string }{
		{"APP_JOBS_PER_INVOCATION=4", `environment variable APP_JOBS_PER_INVOCATION: app.jobs_per_invocation is "4"; app.worker_concurrency must then be given: allowed are whole numbers from 2 to 4, which is app.semaphore (16, default) / app.jobs_per_invocation (4, environment variable APP_JOBS_PER_INVOCATION)`},
		{"APP_SEMAPHORE=4 APP_JOBS_PER_INVOCATION=3", `environment variable APP_JOBS_PER_INVOCATION: app.jobs_per_invocation is "3"; app.semaphore (4, environment variable APP_SEMAPHORE) must be at least twice that, 6`},
		{"APP_SEMAPHORE=5 APP_JOBS_PER_INVOCATION=3 APP_WORKER_CONCURRENCY=2", `environment variable APP_JOBS_PER_INVOCATION: app.jobs_per_invocation is "3"; app.semaphore (5, environment variable APP_SEMAPHORE) must be at least twice that, 6`},
		{"APP_JOBS_PER_INVOCATION=4 APP_WORKER_CONCURRENCY=5", `environment variable APP_WORKER_CONCURRENCY: app.worker_concurrency is "5"; allowed are whole numbers from 2 to 4, which is app.semaphore (16, default) / app.jobs_per_invocation (4, environment variable APP_JOBS_PER_INVOCATION)`},
		{"APP_WORKER_CONCURRENCY=1", `environment variable APP_WORKER_CONCURRENCY: app.worker_concurrency is "1"; allowed are nothing, or whole numbers from 2 to 1000`},
		{"APP_SEMAPHORE=8 APP_WORKER_CONCURRENCY=9", `environment variable APP_WORKER_CONCURRENCY: app.worker_concurrency is "9"; allowed are whole numbers from 2 to 8, which is app.semaphore (8, environment variable APP_SEMAPHORE) / app.jobs_per_invocation (1, default)`},
		{"JOB_MAX_DURATION=1m", `environment variable JOB_MAX_DURATION: job.max_duration is "1m0s"; allowed are durations from job.min_duration (3m0s, default)`},
		{"JOB_MAX_DURATION=881s", `environment variable JOB_MAX_DURATION: job.max_duration is "14m41s"; allowed are durations up to 14m40s: of app.worker_timeout (900 s, default) a worker keeps 20 s to claim the task and to write its ending`},
		{"APP_WORKER_TIMEOUT=319", `default: job.max_duration is "5m0s"; allowed are durations up to 4m59s: of app.worker_timeout (319 s, environment variable APP_WORKER_TIMEOUT) a worker keeps 20 s to claim the task and to write its ending`},
		{"JOB_MIN_DURATION=15m", `environment variable JOB_MIN_DURATION: job.min_duration is "15m0s"; allowed are durations up to 14m40s: of app.worker_timeout (900 s, default) a worker keeps 20 s to claim the task and to write its ending
default: job.max_duration is "5m0s"; allowed are durations from job.min_duration (15m0s, environment variable JOB_MIN_DURATION)`},
		{"APP_WORKER_TIMEOUT=15m", `environment variable APP_WORKER_TIMEOUT: app.worker_timeout is "15m"; allowed are whole seconds from 30 to 900, without a unit`},
		{"APP_WORKER_TIMEOUT=901", `environment variable APP_WORKER_TIMEOUT: app.worker_timeout is "901"; allowed are whole seconds from 30 to 900, without a unit`},
		{"CLICKHOUSE_BUFFER_SIZE=10", `environment variable CLICKHOUSE_BUFFER_SIZE: clickhouse.buffer_size is "10"; allowed are numbers from clickhouse.batch_size (1000, default)`},
		{"DATABASE_SECRET_ARN=arn:aws:secretsmanager:x STORAGE_AUTH=iam STORAGE_HOST=h", `environment variable STORAGE_AUTH: storage.auth is "iam"; allowed is password, because storage.secret_arn (environment variable DATABASE_SECRET_ARN) names the credentials`},
		{"STORAGE_AUTH=iam STORAGE_HOST=h", `default: storage.ssl_mode is "prefer"; allowed with storage.auth iam (environment variable STORAGE_AUTH), which sends a token, are require, verify-ca, verify-full`},
		{"STORAGE_AUTH=iam DATABASE_URL=postgres://u@h/d?sslmode=disable", `environment variable DATABASE_URL: storage.ssl_mode is "disable"; allowed with storage.auth iam (environment variable STORAGE_AUTH), which sends a token, are require, verify-ca, verify-full`},
		{"DATABASE_SECRET_ARN=arn:aws:secretsmanager:x", `default: storage.host is ""; storage.secret_arn requires it (environment variable DATABASE_SECRET_ARN)`},
	} {
		if _, err := read(t, "", strings.Fields(c.variables)...); err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.variables, err, c.want)
		}
	}
}

// TestContradictionsBesideWrongValues checks that contradictions are reported together with wrong values, unless a
// wrong value or a misspelt key only makes them look so.
func TestContradictionsBesideWrongValues(t *testing.T) {
	for _, c := range []struct{ file, variables, want string }{
		{"", "JOB_FAILURE_RATE=7 JOB_MIN_DURATION=4s JOB_MAX_DURATION=2s", `environment variable JOB_FAILURE_RATE: job.failure_rate is "7"; allowed are numbers from 0 to 1
environment variable JOB_MAX_DURATION: job.max_duration is "2s"; allowed are durations from job.min_duration (4s, environment variable JOB_MIN_DURATION)`},
		{"", "JOB_MIN_DURATION=x JOB_MAX_DURATION=2s", `environment variable JOB_MIN_DURATION: job.min_duration is "x"; allowed are durations from 0s to 8760h0m0s, such as 500ms, 2s or 1m30s`},
		{"job: {min_durations: 1s}", "JOB_MAX_DURATION=2s", `config.yaml:1: job.min_durations is unknown; did you mean job.min_duration?`},
	} {
		if _, err := read(t, c.file, strings.Fields(c.variables)...); err == nil || err.Error() != c.want {
			t.Errorf("%s %s: error %v, want %s", c.file, c.variables, err, c.want)
		}
	}
}

// TestMalformedDatabaseURLs checks that the error says what is wrong, and shows nothing of a URL in which the end of
// the password is unclear.
func TestMalformedDatabaseURLs(t *testing.T) {
	const schemes, port, encoding = "URLs that begin with postgres:// or postgresql://", "URLs with a port from 1 to 65535, and with / ? # of a password as %2F %3F %23",
		"URLs with special characters percent-encoded, such as @ as %40 and % as %25"
	for url, want := range map[string]string{
		"mysql://foo:geheim@h/d":                  schemes,
		"geheim":                                  schemes,
		"postgres://foo:geheim@127.0.0.1:port/x":  port,
		"postgres://foo:geheim@127.0.0.1:99999/x": port,
		"postgres://foo:geheim@127.0.0.1:0/x":     port,
		"postgres://foo:geh/eim@h/d":              port,
		"postgres://foo:geheim%zz@h/d":            encoding,
		"postgres://foo:geheim @h/d":              encoding,
		"postgres://":                             "URLs with a host or a path",
	} {
		want = "environment variable DATABASE_URL: storage.database_url is [secret]; allowed are " + want
		if _, err := read(t, "", "DATABASE_URL="+url); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", url, err, want)
		}
	}
	for _, url := range []string{"postgres://u:p%40%2F@h:5433/d", "postgres:///d?host=/run", "postgres://h1:5432,h2:5433/d", "postgres://u@[::1]:5432/d", "postgres://h:/d"} {
		if _, err := read(t, "", "DATABASE_URL="+url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestLongestJobs checks the limits of a job's duration.
func TestLongestJobs(t *testing.T) {
	for _, variables := range []string{"JOB_MAX_DURATION=310s", "APP_WORKER_TIMEOUT=320", "APP_WORKER_TIMEOUT=900 JOB_MIN_DURATION=880s JOB_MAX_DURATION=880s"} {
		if _, err := read(t, "", strings.Fields(variables)...); err != nil {
			t.Errorf("%s: %v", variables, err)
		}
	}
}
