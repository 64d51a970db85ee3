// Package config is the application's configuration. Environment variables take precedence over the YAML file that
// KSU_CONFIG names, and the file over the defaults. An error reports everything that is wrong. Secrets are never shown.
//
// Every cold start loads the configuration. So the package works without reflection, and parses YAML only if there is a
// file.
package config

import (
	"errors"
	"os"
	"time"
)

// FileVariable is the environment variable that names the YAML file; unset or empty means none.
const FileVariable = "KSU_CONFIG"

// Config is the whole configuration. README.md has the table of all keys with their variables and defaults.
type Config struct {
	Server     Server
	Logger     Logger
	App        App
	Task       Task
	Job        Job
	ClickHouse ClickHouse
	Storage    Storage
	// Warnings name accepted keys that the user should change, such as misspelt ones; one sentence each.
	Warnings []string
}

// Server is the HTTP listener of the local stack. On AWS, API Gateway replaces it.
type Server struct {
	// Port is the TCP port, 0 for any free one.
	Port int
	// ReadTimeout, WriteTimeout, ReadHeaderTimeout and IdleTimeout are those of http.Server; 0 means no limit.
	ReadTimeout, WriteTimeout, ReadHeaderTimeout, IdleTimeout time.Duration
}

// Logger configures the log.
type Logger struct {
	// Handler is the form of the lines on stdout: json or text.
	Handler string
	// Level is the lowest level that is logged: debug, info, warn or error.
	Level string
	// OutputInternal keeps the lines on stdout only, even if ClickHouse is configured.
	OutputInternal bool
	// Source adds file and line of the caller.
	Source bool
}

// App has the keys of the application as a whole.
type App struct {
	// Semaphore is how many tasks run at once, 2 to 1000: the template's parameter Semaphore.
	Semaphore int
	// APIConcurrency is how many requests the API answers at once, 1 to 1000: the template's parameter ApiConcurrency.
	APIConcurrency int
	// JobsPerInvocation is the number of slots of a worker environment, 1 to 100.
	JobsPerInvocation int
	// WorkerConcurrency is how many worker environments run at once, 2 to 1000; 0 means Semaphore.
	WorkerConcurrency int
	// WorkerTimeout is the time-out of the function worker, 30 s to 15 min in whole seconds.
	WorkerTimeout time.Duration
}

// ClaimTime and EndingTime are what the worker needs of its time-out beside the job. job.max_duration is checked against
// app.worker_timeout with both, and the function worker gives both to its runner.
const (
	// ClaimTime is how long a worker retries a claim while the store is unreachable.
	ClaimTime = 10 * time.Second
	// EndingTime is what a worker keeps to write a task's ending: it stops a job this long before its time-out.
	EndingTime = 10 * time.Second
)

// LongestJob is the longest time that one attempt of a job may take in this deployment: WorkerTimeout less ClaimTime and
// EndingTime.
func (a App) LongestJob() time.Duration { return a.WorkerTimeout - ClaimTime - EndingTime }

// Task configures the life of a task.
type Task struct {
	// QueueURL is the URL of the SQS queue of tasks; "" for a function that sends no permits.
	QueueURL string
	// MaxAttempts is the maximum number of attempts of a task, 1 to 100.
	MaxAttempts int
	// RetentionDays is how many days ended tasks are kept, 1 to 3650.
	RetentionDays int
}

// Job has the settings of the jobs.
type Job struct {
	// MinDuration and MaxDuration bound the duration of the simulated job, both included.
	MinDuration, MaxDuration time.Duration
	// FailureRate is the probability that the simulated job fails, 0 to 1.
	FailureRate float64
	// HTTPAllow are the non-public addresses that the job http may reach.
	HTTPAllow Networks
	// HTTPMaxRunning is how many tasks of the job http run at once, HTTPMaxRunningPerKey how many with the same fairness key.
	// Each is 1 to 1000; 0 is no limit but App.Semaphore.
	HTTPMaxRunning, HTTPMaxRunningPerKey int

	httpAllow string // HTTPAllow as text
}

// ClickHouse configures the server for log lines, and the delivery.
type ClickHouse struct {
	// Address is host:port of the native protocol, or several separated by commas; "" sends no lines.
	Address string
	// Username and Password are the server's account.
	Username string
	Password Secret
	// Database holds the table logs.
	Database string
	// Secure uses TLS, as port 9440 requires.
	Secure bool
	// ConnectionAttempts is how many attempts to connect fail before the failure is reported; afterwards the pauses
	// grow.
	ConnectionAttempts int
	// TryConnectionPeriod is the pause between those attempts.
	TryConnectionPeriod time.Duration
	// BatchSize is the number of lines that is sent without waiting for more.
	BatchSize int
	// BatchInterval is the longest time that a line waits for others while the function runs.
	BatchInterval time.Duration
	// BufferSize is how many unsent lines are kept. Above it, the oldest are dropped and counted.
	BufferSize int
	// FlushTimeout is how long the end of an invocation waits at most for its lines to be sent.
	FlushTimeout time.Duration
	// RetentionDays is how many days the server keeps lines, 1 to 3650.
	RetentionDays int
}

// Storage configures the store of the tasks.
type Storage struct {
	// Type is the store: postgres or internal.
	Type string
	// DatabaseURL is a postgres:// URL, which replaces Host to SSLMode.
	DatabaseURL Secret
	// Host is the database's server; "" if DatabaseURL names it, or without a database.
	Host string
	// Port is its TCP port.
	Port int
	// User is the role, and Password its password, unless SecretARN or Auth replaces them.
	User     string
	Password Secret
	// Name is the database's name.
	Name string
	// SSLMode is libpq's sslmode.
	SSLMode string
	// Auth is password, or iam: a token of the function's role instead of a password.
	Auth string
	// SecretARN is a Secrets Manager secret with username and password; "" means none.
	SecretARN string
	// Role is the function whose role the program logs in as: api, worker or sweeper. "" means the account itself.
	Role string
	// Roles is how the functions' roles log in, which the migration creates: password or iam. none and "" create no
	// roles.
	Roles string
	// Pooler says what is between the programs and the server: transaction, none, or auto, with which the store detects
	// it. "" means auto.
	Pooler string
	// MaxConnections is how many connections to the database one process holds at most; 0 means 1. It is not a key: the
	// programs set it.
	MaxConnections int
	// Path is the file of the internal store.
	Path string
	// NeedMigrate reports whether the migration function migrates at all.
	NeedMigrate bool
	// MigrateSource is a file:// URL of a folder of migrations; "" means the program's own.
	MigrateSource string
}

// Load reads the configuration of this process.
func Load() (*Config, error) { return Read(os.Getenv) }

// Read is Load with a function in place of the environment. An empty variable counts as unset: a CloudFormation
// template can more easily leave a variable empty than omit it. The error lists everything that is wrong, one line
// each.
func Read(env func(string) string) (*Config, error) {
	l := gather(env, nil)
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	return l.config, nil
}

// gather reads the file, the environment, and the settings that take precedence over both.
func gather(env func(string) string, given []Setting) *loader {
	c := new(Config)
	l := &loader{config: c, entries: c.entries()}
	for i := range l.entries {
		e := &l.entries[i]
		if err := e.value.set(e.def); err != nil {
			panic("default of " + e.name + ": " + err.Error()) // a bug in the program
		}
	}
	if path := env(FileVariable); path != "" {
		l.file(path)
	}
	l.environment(env)
	l.given(given)
	if len(l.problems) == l.wrongValues { // an unknown key or a missing file would make other keys look wrong
		l.check()
	}
	return l
}
