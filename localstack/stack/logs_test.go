package stack

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const withClickHouse = `
Parameters:
  ClickHouseAddress: {Type: String, Default: ""}
  ClickHouseUsername: {Type: String, Default: ksu}
  ClickHousePassword: {Type: String, Default: "ge:heim"}
  ClickHouseDatabase: {Type: String, Default: logs}
  ClickHouseSecure: {Type: String, Default: "true"}
Resources:
  Q: {Type: AWS::SQS::Queue}
`

// TestTerminalOnly: where the functions keep their lines to themselves, no ClickHouse is started, and none named.
func TestTerminalOnly(t *testing.T) {
	t.Parallel()
	for _, choice := range []string{"auto", "h:9000", ""} {
		s := setupTemplate(t, withClickHouse, Options{Data: t.TempDir(), ClickHouse: choice},
			setting{Key: "logger.output_internal", Value: "true", Source: "config.yaml:2"},
			setting{Key: "clickhouse.address", Value: "h:9000", Source: "config.yaml:3"})
		if err := s.openClickHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := "here only, as logger.output_internal of config.yaml:2 says"; s.clickHouse.what != want || s.clickHouse.parameters[clickHouseAddress] != "" {
			t.Errorf("with %q logs go to %+v; want %s", choice, s.clickHouse, want)
		}
	}
}

// TestClickHouseURL: the file is there for its owner alone while the stack runs, and what a killed stack left is not.
func TestClickHouseURL(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	path := filepath.Join(data, clickHouseFile)
	left := func() {
		t.Helper()
		if err := os.WriteFile(path, []byte("left"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	gone := func(when string) {
		t.Helper()
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s the file is there: %v", when, err)
		}
	}
	left()
	if err := setupTemplate(t, withClickHouse, Options{Data: data, ClickHouse: "off"}).openClickHouse(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone("without ClickHouse")
	left()
	s := setupTemplate(t, withClickHouse, Options{Data: data, ClickHouse: "h:9000"})
	if err := s.openClickHouse(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if want := "clickhouse://ksu:ge%3Aheim@h:9000/logs?secure=false\n"; err != nil || string(content) != want {
		t.Errorf("the file has %q, %v; want %q", content, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want a file for its owner alone", info, err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	gone("after the stop")
	if err := s.openClickHouse(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(path), s.stop()); err != nil {
		t.Errorf("the user removed the file: %v", err)
	}
}
