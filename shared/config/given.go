package config

import "errors"

// Parameters are the template's parameters by the key that fills them. Functions get the other keys as environment
// variables.
var Parameters = map[string]string{
	"app.api_concurrency":          "ApiConcurrency",
	"app.jobs_per_invocation":      "JobsPerInvocation",
	"app.semaphore":                "Semaphore",
	"app.worker_concurrency":       "WorkerConcurrency",
	"app.worker_timeout":           "WorkerTimeout",
	"clickhouse.address":           "ClickHouseAddress",
	"clickhouse.database":          "ClickHouseDatabase",
	"clickhouse.password":          "ClickHousePassword",
	"clickhouse.retention_days":    "ClickHouseRetentionDays",
	"clickhouse.secure":            "ClickHouseSecure",
	"clickhouse.username":          "ClickHouseUsername",
	"job.failure_rate":             "JobFailureRate",
	"job.http_allow":               "HttpAllow",
	"job.http_max_running":         "HttpMaxRunning",
	"job.http_max_running_per_key": "HttpMaxRunningPerKey",
	"job.max_duration":             "JobMaxDuration",
	"job.min_duration":             "JobMinDuration",
	"logger.level":                 "LogLevel",
	"storage.database_url":         "DatabaseUrl",
	"storage.path":                 "StoragePath",
	"storage.pooler":               "DatabasePooler",
	"storage.type":                 "StorageType",
	"task.max_attempts":            "MaxAttempts",
	"task.retention_days":          "RetentionDays",
}

// Setting is one key with its value.
type Setting struct {
	// Key is section.key.
	Key string
	// Variables are the key's environment variables; the first takes precedence.
	Variables []string
	// Value is the value in the form of a variable. It may be a password.
	Value string
	// Source is the place of the value: path:line, a variable or a parameter; "" for the default.
	Source string
}

// Given reads the configuration as Read does, with overrides that take precedence over file and environment. It uses
// their Key, Value and Source. It returns the configuration, and the settings with a source in the order of the keys.
// The error lists everything that is wrong, one line each. Even then the configuration has what could be read, and is
// never nil.
func Given(env func(string) string, overrides []Setting) (*Config, []Setting, error) {
	l := gather(env, overrides)
	var settings []Setting
	for i := range l.entries {
		if e := &l.entries[i]; e.source != "" && !e.wrong {
			settings = append(settings, Setting{Key: e.name, Variables: e.variables(), Value: e.value.text(), Source: e.source})
		}
	}
	return l.config, settings, errors.Join(l.problems...)
}
