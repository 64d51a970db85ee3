package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"

	"github.com/eragon-mdi/ksu/localstack/services/clickhouse"
)

// The template parameters that the local stack fills in with its ClickHouse. A template without the first gets none.
const (
	clickHouseAddress  = "ClickHouseAddress"
	clickHouseUsername = "ClickHouseUsername"
	clickHousePassword = "ClickHousePassword"
	clickHouseDatabase = "ClickHouseDatabase"
	clickHouseSecure   = "ClickHouseSecure"
)

// terminalOnly is the key of the configuration that keeps functions from sending their lines to ClickHouse.
const terminalOnly = "logger.output_internal"

// clickHouseFile in the data folder is the URL of the ClickHouse in use, for those who read the logs. It holds the
// password, and is there as long as the stack runs.
const clickHouseFile = "clickhouse.url"

// clickHouse is where the functions' log lines go beside the terminal.
type clickHouse struct {
	// parameters are of the template; they win over the configuration.
	parameters map[string]string
	// what says which server it is, or how to get one.
	what string
}

// openClickHouse takes the server that the user named, starts a private one, or leaves the logs to the terminal.
func (s *stack) openClickHouse(ctx context.Context) error {
	if !s.declares(clickHouseAddress) {
		if s.options.ClickHouse != "" && s.options.ClickHouse != "off" {
			return fmt.Errorf("--clickhouse %s: template %s has no parameter %s", s.options.ClickHouse, s.options.Template, clickHouseAddress)
		}
		return nil
	}
	if err := s.removeClickHouseURL(); err != nil { // a stack that was killed left it
		return err
	}
	if only := s.settings.get(terminalOnly); only.Value == "true" {
		s.clickHouse = clickHouse{parameters: map[string]string{clickHouseAddress: ""},
			what: "here only, as " + terminalOnly + " of " + only.Source + " says"}
		return nil
	}
	configured, has := s.configured(clickHouseAddress)
	given, overridden := s.options.Parameters[clickHouseAddress]
	switch {
	case overridden:
		s.clickHouse = clickHouse{what: given + " of --parameter-overrides " + clickHouseAddress}
	case s.options.ClickHouse == "off", s.options.ClickHouse == "" && !has:
		s.clickHouse = clickHouse{parameters: map[string]string{clickHouseAddress: ""},
			what: "here only; for ClickHouse as well: --clickhouse auto (make run CLICKHOUSE=auto)"}
		return nil
	case s.options.ClickHouse != "" && s.options.ClickHouse != "auto":
		s.useClickHouse(s.options.ClickHouse, "--clickhouse")
	case has:
		s.useClickHouse(configured.Value, configured.Source)
	default:
		if err := s.startClickHouse(ctx); err != nil {
			return err
		}
	}
	return s.writeClickHouseURL()
}

// useClickHouse takes a server that runs. It is spoken to without TLS unless somebody says otherwise: the template's
// default is for AWS.
func (s *stack) useClickHouse(address, source string) {
	s.clickHouse = clickHouse{parameters: map[string]string{clickHouseAddress: address}, what: "ClickHouse at " + address + " of " + source}
	if _, secure := s.configured(clickHouseSecure); !secure {
		s.clickHouse.parameters[clickHouseSecure] = "false"
	}
}

func (s *stack) startClickHouse(ctx context.Context) error {
	dir, err := s.options.dataPath("clickhouse")
	if err != nil {
		return err
	}
	var server *clickhouse.Server
	err = s.console.Timed("start ClickHouse", func() (err error) {
		server, err = clickhouse.Start(ctx, clickhouse.Options{
			Dir: dir, Processes: s.processes,
			Log: func(line string) { s.console.Log("clickhouse", []byte(line)) },
		})
		return err
	})
	if err != nil {
		return err
	}
	s.onStop(server.Close)
	go func() {
		<-server.Done()
		if err := server.Err(); err != nil { // the functions go on without it
			s.console.Step("clickhouse", "%v", err)
			s.console.Step("clickhouse", "it is not started again: log lines are shown here alone until the next start")
		}
	}()
	s.clickHouse = clickHouse{what: server.What() + " at " + server.Address(), parameters: map[string]string{
		clickHouseAddress: server.Address(), clickHouseUsername: server.Username(), clickHousePassword: server.Password(),
		clickHouseDatabase: server.Database(), clickHouseSecure: "false",
	}}
	return nil
}

// writeClickHouseURL leaves the server's URL in the data folder until the stack stops.
func (s *stack) writeClickHouseURL() error {
	path, err := s.options.dataPath(clickHouseFile)
	if err != nil {
		return err
	}
	parameters := s.templateOptions("").Parameters
	value := func(name string) string {
		if given, ok := parameters[name]; ok {
			return given
		}
		for _, p := range s.template.Parameters {
			if p.Name == name {
				return p.Default
			}
		}
		return ""
	}
	u := url.URL{
		Scheme: "clickhouse", Host: value(clickHouseAddress), Path: "/" + value(clickHouseDatabase),
		User:     url.UserPassword(value(clickHouseUsername), value(clickHousePassword)),
		RawQuery: url.Values{"secure": {value(clickHouseSecure)}}.Encode(),
	}
	if err := os.WriteFile(path, []byte(u.String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the URL of ClickHouse: %w", err)
	}
	s.onStop(func(context.Context) error { return s.removeClickHouseURL() })
	return nil
}

func (s *stack) removeClickHouseURL() error {
	path, err := s.options.dataPath(clickHouseFile)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the URL of ClickHouse: %w", err)
	}
	return nil
}

// declares reports whether the template has a parameter.
func (s *stack) declares(parameter string) bool {
	for _, p := range s.template.Parameters {
		if p.Name == parameter {
			return true
		}
	}
	return false
}

// checkClickHouse says what is wrong with the value of --clickhouse.
func checkClickHouse(value string) error {
	switch value {
	case "", "auto", "off":
		return nil
	}
	if host, port, err := net.SplitHostPort(value); err != nil || host == "" || port == "" {
		return fmt.Errorf("--clickhouse is %q; allowed are auto, off, and the host:port of a server's native protocol", value)
	}
	return nil
}
