package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad checks that every file is a configuration or an error, and that no error or warning shows a password.
func FuzzLoad(f *testing.F) {
	const secret = "s3cr3t-p4ssw0rd"
	f.Add([]byte(users), "5s")
	f.Add([]byte("storage: {type: internal, path: /tmp/x}\napp: {semaphore: 1001}\nnope: {a: b}\n"), "x")
	f.Add([]byte("storage: &a {password: *a}\nserver: [1]\nserver: {port: !x 1}\n"), "-1")
	f.Add([]byte("task: {retention_days: 99999999999999999999}\njob: {failure_rate: 1e400}\n"), "1e3")
	f.Fuzz(func(t *testing.T, file []byte, value string) {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{FileVariable: path, "STORAGE_PASSWORD": secret, "CLICKHOUSE_PASSWORD": secret}
		for _, e := range new(Config).entries() {
			if name := variable(e.name); env[name] == "" && len(value)%7 == len(name)%7 { // some of them
				env[name] = value
			}
		}
		c, err := Read(func(name string) string { return env[name] })
		if (c == nil) == (err == nil) {
			t.Errorf("configuration %v, error %v; want one of them", c, err)
		}
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			said = strings.Join(c.Warnings, "\n")
		}
		if strings.Contains(said, secret) {
			t.Errorf("a password is shown: %s", said)
		}
	})
}
