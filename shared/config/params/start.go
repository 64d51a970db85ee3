package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/shared/config"
)

// start is the input of the local stack.
type start struct {
	parameters []parameter
	variables  map[string]string
	flags      []string
	warnings   []string

	config    *config.Config
	given     []config.Setting
	overrides []override
	problems  []error
}

// parameter is a parameter of the template, with the place of its value.
type parameter struct{ name, value, source string }

// decide reads all sources. The error lists everything that is wrong with any of them.
func decide(o options, env func(string) string) (*start, error) {
	s := &start{variables: map[string]string{}}
	overrides, err := parseOverrides(o.parameters)
	s.fail(err)
	s.overrides = overrides
	s.config, s.given, err = config.Given(func(name string) string {
		if name == config.FileVariable {
			return cmp.Or(o.config, env(name))
		}
		return env(name)
	}, s.overriddenKeys())
	s.fail(err)
	s.warnings = append(s.warnings, s.config.Warnings...)
	s.refuse()
	s.server()
	s.storage(o.storage)
	s.clickHouse(o.clickHouse)
	s.rest()
	return s, errors.Join(s.problems...)
}

func (s *start) fail(err error) {
	if err != nil {
		s.problems = append(s.problems, err)
	}
}

// overriddenKeys returns the overrides of parameters that keys fill, in the keys' order.
func (s *start) overriddenKeys() (settings []config.Setting) {
	for key, name := range config.Parameters {
		if value, ok := s.override(name); ok {
			settings = append(settings, config.Setting{Key: key, Value: value, Source: "parameter " + name})
		}
	}
	slices.SortFunc(settings, func(a, b config.Setting) int { return strings.Compare(a.Key, b.Key) })
	return settings
}

func (s *start) override(name string) (string, bool) {
	for _, o := range s.overrides {
		if o.name == name {
			return o.value, true
		}
	}
	return "", false
}

// take removes a key from the given ones and returns it. It reports false for an omitted key, and for one that a
// parameter overrides.
func (s *start) take(key string) (config.Setting, bool) {
	for i, found := range s.given {
		if found.Key == key {
			s.given = slices.Delete(s.given, i, i+1)
			_, overridden := s.override(config.Parameters[key])
			return found, !overridden
		}
	}
	return config.Setting{}, false
}

// refuse reports keys that have no effect without AWS.
func (s *start) refuse() {
	for _, found := range s.given {
		switch {
		case found.Key == "storage.secret_arn", found.Key == "storage.auth" && found.Value != "password":
			s.fail(fmt.Errorf("%s: %s is %q; the local stack has no Secrets Manager and no IAM: give the database's password",
				found.Source, found.Key, found.Value))
		case found.Key == "task.queue_url":
			s.fail(fmt.Errorf("%s: task.queue_url has no effect: the template sets TASK_QUEUE_URL", found.Source))
		}
	}
}

// server adds the flags of the REST API's server.
func (s *start) server() {
	if port, ok := s.take("server.port"); ok {
		s.flags = append(s.flags, "--port", port.Value)
	}
	server := s.config.Server
	for _, timeout := range []struct {
		flag string
		d    time.Duration
	}{
		{"--read-timeout", server.ReadTimeout}, {"--write-timeout", server.WriteTimeout},
		{"--read-header-timeout", server.ReadHeaderTimeout}, {"--idle-timeout", server.IdleTimeout},
	} {
		if timeout.d == 0 { // no limit; the flag 0 would mean its default
			timeout.d = 365 * 24 * time.Hour
		}
		s.flags = append(s.flags, timeout.flag, timeout.d.String())
	}
	for _, key := range []string{"server.read_timeout", "server.write_timeout", "server.read_header_timeout", "server.idle_timeout"} {
		s.take(key)
	}
}

// storage decides where tasks are kept, and finds the database.
func (s *start) storage(chosen string) {
	kind, source := chosen, "STORAGE"
	configured, ok := s.take("storage.type")
	if value, overridden := s.override("StorageType"); overridden {
		kind, source = value, "parameter StorageType"
	} else if kind == "" && ok {
		kind, source = configured.Value, configured.Source
	}
	provide, ok := map[string]string{"": "", "auto": "auto", "postgres": "on", "internal": "off"}[kind]
	if !ok && source == "STORAGE" {
		s.fail(fmt.Errorf("STORAGE is %q; allowed are auto, postgres, internal", kind))
	}
	if provide != "" {
		s.flags = append(s.flags, "--provide", "postgres="+provide)
	}
	s.database(provide == "off", source)
	if path, ok := s.take("storage.path"); ok {
		absolute, err := filepath.Abs(path.Value)
		s.fail(err)
		s.parameters = append(s.parameters, parameter{"StoragePath", absolute, path.Source})
	}
}

// database makes one parameter of the keys that describe a database.
func (s *start) database(unused bool, why string) {
	url, given := s.take("storage.database_url")
	host, hasHost := s.take("storage.host")
	for _, key := range []string{"port", "user", "password", "name", "ssl_mode", "auth"} {
		s.take("storage." + key)
	}
	if _, overridden := s.override("DatabaseUrl"); overridden || !given && !hasHost {
		return
	}
	if source := cmp.Or(url.Source, host.Source); !unused {
		s.parameters = append(s.parameters, parameter{"DatabaseUrl", s.config.Storage.URL(), source})
	} else {
		s.warnings = append(s.warnings, fmt.Sprintf("Postgres of %s, %s, is not used: the storage is internal, of %s; STORAGE=postgres uses it",
			source, redacted(s.config.Storage.URL()), why))
	}
}

// clickHouse decides where logs go besides the terminal.
func (s *start) clickHouse(chosen string) {
	switch host, port, err := net.SplitHostPort(chosen); {
	case chosen == "", chosen == "auto", chosen == "off":
	case err != nil || host == "" || port == "":
		s.fail(fmt.Errorf("CLICKHOUSE is %q; allowed are auto, off, and the host:port of a server's native protocol", chosen))
	}
	if only, ok := s.take("logger.output_internal"); ok && s.config.Logger.OutputInternal {
		if chosen != "" && chosen != "off" {
			s.warnings = append(s.warnings, fmt.Sprintf("CLICKHOUSE=%s has no effect: logger.output_internal of %s keeps log lines to the terminal", chosen, only.Source))
		}
		chosen = "off"
	}
	if chosen != "" {
		s.flags = append(s.flags, "--provide", "clickhouse="+chosen)
	}
	address, configured := s.take("clickhouse.address")
	_, secure := s.override("ClickHouseSecure")
	secure = secure || slices.ContainsFunc(s.given, func(found config.Setting) bool { return found.Key == "clickhouse.secure" })
	if chosen == "off" {
		return
	}
	if configured && (chosen == "" || chosen == "auto") {
		s.parameters = append(s.parameters, parameter{"ClickHouseAddress", address.Value, address.Source})
	} else if chosen == "" || chosen == "auto" {
		return
	}
	if !secure { // the template's default is for AWS
		s.parameters = append(s.parameters, parameter{"ClickHouseSecure", "false", "the address has no clickhouse.secure"})
	}
}

// rest turns the remaining keys into parameters and variables, and adds the overrides.
func (s *start) rest() {
	for _, found := range s.given {
		name := config.Parameters[found.Key]
		if _, overridden := s.override(name); overridden {
			continue
		}
		if name != "" {
			s.parameters = append(s.parameters, parameter{name, found.Value, found.Source})
		} else {
			s.variables[found.Variables[0]] = s.absolute(found)
		}
	}
	for _, o := range s.overrides {
		s.parameters = append(s.parameters, parameter{o.name, o.value, "PARAMS"})
	}
}

// absolute returns a setting's value as an absolute path: functions would resolve a relative one from another folder.
func (s *start) absolute(found config.Setting) string {
	if found.Key != "storage.migrate_src" {
		return found.Value
	}
	u, err := neturl.Parse(found.Value)
	if err != nil || u.Host == "" { // file://folder is relative, as in golang-migrate
		return found.Value
	}
	u.Path, err = filepath.Abs(u.Host + u.Path)
	s.fail(err)
	u.Host = ""
	return u.String()
}

// redacted returns a URL without its password.
func redacted(text string) string {
	u, err := neturl.Parse(text)
	if err != nil {
		return "(not a URL)"
	}
	u.RawQuery = ""
	return u.Redacted()
}
