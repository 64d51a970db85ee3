package config

import (
	"strings"
	"time"
)

// entry describes one key. Only here are its name, its default and its meaning.
type entry struct {
	// name is section.key as in the YAML file.
	name string
	// misspelt is a misspelling in users' files. It is accepted with a warning.
	misspelt string
	// env are further variables. SECTION_KEY takes precedence over them.
	env []string
	// def is the default in the file's form.
	def string
	// value is the field.
	value value
	// meaning is for the table of keys.
	meaning string
	// source is the place of the value; "" for the default.
	source string
	// wrong means that the given value is not allowed.
	wrong bool
}

// entries lists the keys in the order of the table, bound to the fields of c.
func (c *Config) entries() []entry {
	const year = 365 * 24 * time.Hour
	var (
		srv, log, ch, st = &c.Server, &c.Logger, &c.ClickHouse, &c.Storage
		timeout          = func(d *time.Duration) value { return duration{d, 0, year, "0 for none, or "} }
	)
	return []entry{
		{name: "server.port", def: "8080", value: number{&srv.Port, 0, 65535}, meaning: "TCP port of the local REST API; 0 takes any free one"},
		{name: "server.read_timeout", def: "5s", value: timeout(&srv.ReadTimeout), meaning: "how long the local stack may read a request; 0 means no limit"},
		{name: "server.write_timeout", def: "35s", value: timeout(&srv.WriteTimeout), meaning: "how long the local stack may answer a request; more than API Gateway's 29 s"},
		{name: "server.read_header_timeout", def: "2s", value: timeout(&srv.ReadHeaderTimeout), meaning: "how long the local stack may read a request's headers"},
		{name: "server.idle_timeout", def: "30s", value: timeout(&srv.IdleTimeout), meaning: "how long the local stack keeps an idle connection"},

		{name: "logger.handler", def: "json", value: choice{&log.Handler, []string{"json", "text"}}, meaning: "form of the lines on stdout: `json` or `text`"},
		{name: "logger.level", env: []string{"LOG_LEVEL"}, def: "info", value: choice{&log.Level, []string{"debug", "info", "warn", "error"}}, meaning: "lowest level that is logged: `debug`, `info`, `warn`, `error`"},
		{name: "logger.output_internal", def: "false", value: boolean{&log.OutputInternal}, meaning: "`true` logs to stdout only, even if ClickHouse is configured"},
		{name: "logger.source", def: "true", value: boolean{&log.Source}, meaning: "add file and line of the caller"},

		{name: "app.semaphore", def: "16", value: number{&c.App.Semaphore, 2, 1000}, meaning: "how many tasks run at once: the template's `Semaphore`"},
		{name: "app.api_concurrency", def: "40", value: number{&c.App.APIConcurrency, 1, 1000}, meaning: "how many requests the API answers at once: the template's `ApiConcurrency`; more get 429"},
		{name: "app.jobs_per_invocation", def: "1", value: number{&c.App.JobsPerInvocation, 1, 100}, meaning: "slots of a worker environment: the template's `JobsPerInvocation`"},
		{name: "app.worker_concurrency", value: optional{number{&c.App.WorkerConcurrency, 2, 1000}}, meaning: "how many worker environments run at once: the template's `WorkerConcurrency`; empty means `app.semaphore`"},
		{name: "app.worker_timeout", def: "900", value: seconds{duration{&c.App.WorkerTimeout, 30 * time.Second, 15 * time.Minute, ""}}, meaning: "time-out of a worker in seconds: the template's `WorkerTimeout`"},

		{name: "task.queue_url", value: url{&c.Task.QueueURL, nil, []string{"http", "https"}}, meaning: "URL of the SQS queue of tasks; the template sets it"},
		{name: "task.max_attempts", env: []string{"MAX_ATTEMPTS"}, def: "3", value: number{&c.Task.MaxAttempts, 1, 100}, meaning: "maximum attempts of a task"},
		{name: "task.retention_days", env: []string{"RETENTION_DAYS"}, def: "30", value: number{&c.Task.RetentionDays, 1, 3650}, meaning: "days that the store keeps ended tasks"},

		{name: "job.min_duration", def: "3m", value: duration{&c.Job.MinDuration, 0, year, ""}, meaning: "shortest duration of the simulated job"},
		{name: "job.max_duration", def: "5m", value: duration{&c.Job.MaxDuration, 0, year, ""}, meaning: "longest duration of the simulated job; at most `app.worker_timeout` less 20 s"},
		{name: "job.failure_rate", def: "0.1", value: probability{&c.Job.FailureRate}, meaning: "probability that the simulated job fails, 0 to 1"},
		{name: "job.http_allow", value: networks{&c.Job.HTTPAllow, &c.Job.httpAllow}, meaning: "non-public addresses that the job `http` may reach: blocks, addresses and `address:port` separated by commas"},
		{name: "job.http_max_running", value: optional{number{&c.Job.HTTPMaxRunning, 1, 1000}}, meaning: "how many tasks of the job `http` run at once; empty means no limit but `app.semaphore`"},
		{name: "job.http_max_running_per_key", value: optional{number{&c.Job.HTTPMaxRunningPerKey, 1, 1000}}, meaning: "how many of these tasks may have the same fairness key; empty means no limit"},

		{name: "clickhouse.address", value: addresses{&ch.Address}, meaning: "`host:port` of ClickHouse's native protocol, several separated by commas; empty sends no logs"},
		{name: "clickhouse.username", def: "default", value: text{&ch.Username}, meaning: "ClickHouse account"},
		{name: "clickhouse.password", value: secret{&ch.Password}, meaning: "the account's password"},
		{name: "clickhouse.database", def: "default", value: text{&ch.Database}, meaning: "database that holds the table `logs`"},
		{name: "clickhouse.secure", def: "false", value: boolean{&ch.Secure}, meaning: "use TLS, as port 9440 requires"},
		{name: "clickhouse.try_connection_period", misspelt: "try_connection_perod", def: "3s", value: duration{&ch.TryConnectionPeriod, 10 * time.Millisecond, time.Hour, ""}, meaning: "pause between the first attempts to connect"},
		{name: "clickhouse.connection_attempts", def: "5", value: number{&ch.ConnectionAttempts, 1, 1000}, meaning: "attempts to connect before the failure is reported; afterwards the pauses grow to a minute"},
		{name: "clickhouse.batch_size", def: "1000", value: number{&ch.BatchSize, 1, 100_000}, meaning: "number of lines that is sent without waiting for more"},
		{name: "clickhouse.batch_interval", misspelt: "batch_inteval", def: "10s", value: duration{&ch.BatchInterval, 10 * time.Millisecond, time.Hour, ""}, meaning: "longest wait of a line for others; the end of an invocation sends in any case"},
		{name: "clickhouse.buffer_size", def: "10000", value: number{&ch.BufferSize, 1, 1_000_000}, meaning: "maximum of unsent lines; above it, the oldest are dropped and counted"},
		{name: "clickhouse.flush_timeout", def: "200ms", value: duration{&ch.FlushTimeout, time.Millisecond, time.Minute, ""}, meaning: "how long the end of an invocation may wait for ClickHouse"},
		{name: "clickhouse.retention_days", def: "30", value: number{&ch.RetentionDays, 1, 3650}, meaning: "days that ClickHouse keeps lines"},

		{name: "storage.type", def: "postgres", value: choice{&st.Type, []string{"postgres", "internal"}}, meaning: "where tasks are kept: `postgres` or `internal`, one file"},
		{name: "storage.database_url", env: []string{"DATABASE_URL"}, value: url{nil, &st.DatabaseURL, []string{"postgres", "postgresql"}}, meaning: "the database as `postgres://user:password@host:port/name?sslmode=require`, instead of the keys from `host` to `ssl_mode`"},
		{name: "storage.host", value: text{&st.Host}, meaning: "host of the database"},
		{name: "storage.port", def: "5432", value: number{&st.Port, 1, 65535}, meaning: "TCP port of the database"},
		{name: "storage.user", def: "ksu", value: text{&st.User}, meaning: "role that logs in"},
		{name: "storage.password", value: secret{&st.Password}, meaning: "the role's password"},
		{name: "storage.name", def: "ksu", value: text{&st.Name}, meaning: "name of the database"},
		{name: "storage.ssl_mode", def: "prefer", value: choice{&st.SSLMode, []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}}, meaning: "libpq's `sslmode`: `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`"},
		{name: "storage.auth", def: "password", value: choice{&st.Auth, []string{"password", "iam"}}, meaning: "`password`, or `iam` for a token of the function's role"},
		{name: "storage.secret_arn", env: []string{"DATABASE_SECRET_ARN"}, value: arn{&st.SecretARN}, meaning: "Secrets Manager secret with `username` and `password` of the database"},
		{name: "storage.pooler", def: "auto", value: choice{&st.Pooler, []string{"auto", "transaction", "none"}}, meaning: "`transaction` behind a pooler that shares sessions (PgBouncer, RDS Proxy, Supavisor), without prepared statements; `none` without a pooler; `auto` detects it"},
		{name: "storage.role", value: choice{&st.Role, []string{"", "api", "worker", "sweeper"}}, meaning: "function whose role the program logs in as: the role `NAME_FUNCTION`, such as `ksu_api`, which the migration created; empty means the account itself"},
		{name: "storage.roles", def: "password", value: choice{&st.Roles, []string{"password", "iam", "none"}}, meaning: "how the functions' roles log in, which the migration creates; `none` creates no roles"},
		{name: "storage.path", def: ".local/ksu.db", value: text{&st.Path}, meaning: "file of the internal store"},
		{name: "storage.need_migrate", def: "true", value: boolean{&st.NeedMigrate}, meaning: "`false` leaves the schema alone"},
		{name: "storage.migrate_src", misspelt: "migaret_src", value: url{&st.MigrateSource, nil, []string{"file"}}, meaning: "folder of migrations as `file:///folder`; empty means the program's own"},
	}
}

// variables lists the environment variables of a key by precedence.
func (e *entry) variables() []string {
	own := variable(e.name)
	list := append([]string{own}, e.env...)
	if e.misspelt != "" {
		list = append(list, variable(e.misspeltName()))
	}
	return list
}

// variable is the environment variable of section.key.
func variable(name string) string { return strings.ToUpper(strings.ReplaceAll(name, ".", "_")) }

// misspeltName is section.misspelt.
func (e *entry) misspeltName() string {
	section, _, _ := strings.Cut(e.name, ".")
	return section + "." + e.misspelt
}
