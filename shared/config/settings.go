package config

import (
	"fmt"
	neturl "net/url"
	"path/filepath"
)

// Settings reads the configuration like Read and lists all keys in the order of the table, with the warnings. Settings that
// are given win over file and environment: of them, Key, Value and Source count, and errors show Source. The keys of a
// database at a host become one storage.database_url, unless its credentials are to be fetched; relative paths become
// absolute, since functions run in folders of their own.
func Settings(env func(string) string, given []Setting) (settings []Setting, warnings []string, err error) {
	l, err := load(env, given)
	if err != nil {
		return nil, nil, err
	}
	l.joinDatabase()
	if err := l.absolutePaths(); err != nil {
		return nil, nil, err
	}
	for i := range l.entries {
		e := &l.entries[i]
		settings = append(settings, Setting{Key: e.name, Variables: e.variables(), Value: e.value.text(), Source: e.source})
	}
	return settings, l.config.Warnings, nil
}

// absolutePaths makes the given paths absolute.
func (l *loader) absolutePaths() error {
	s := &l.config.Storage
	var err error
	if l.entry("storage.path").source != "" {
		if s.Path, err = filepath.Abs(s.Path); err != nil {
			return fmt.Errorf("storage.path: %w", err)
		}
	}
	if u, _ := neturl.Parse(s.MigrateSource); u != nil && u.Host != "" { // file://folder, as golang-migrate has it
		if u.Path, err = filepath.Abs(u.Host + u.Path); err != nil {
			return fmt.Errorf("storage.migrate_src: %w", err)
		}
		u.Host = ""
		s.MigrateSource = u.String()
	}
	return nil
}

// joinDatabase makes the keys of the database one.
func (l *loader) joinDatabase() {
	s := &l.config.Storage
	if s.SecretARN != "" || s.Auth != "password" || s.URL() == "" {
		return
	}
	if s.DatabaseURL == "" {
		s.DatabaseURL, l.entry("storage.database_url").source = Secret(s.URL()), l.source("storage.host")
	}
	for _, name := range []string{"host", "port", "user", "password", "name", "ssl_mode"} {
		e := l.entry("storage." + name)
		e.source = ""
		_ = e.value.set(e.def) // which has been set before
	}
}
