package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/eragon-mdi/ksu/localstack/build"
	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// setting is one key of the application's configuration.
type setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// Variables are the environment variables that a function may read the key from; the first wins over the others.
	Variables []string `json:"variables,omitempty"`
	// Source is path:line, the environment variable or the parameter that gives the value, "" for a default.
	Source string `json:"source"`
}

// settings are the application's configuration as the program of the template's Metadata reads it.
type settings struct {
	Settings []setting
	Warnings []string
}

// readSettings reads the configuration, before anything is started. A template that names no program for it has none.
func (s *stack) readSettings(ctx context.Context) error {
	c := s.template.Configuration
	if c == nil {
		if s.options.Config != "" {
			return fmt.Errorf("--config: template %s names no program that reads it, in Metadata.LocalStack.Configuration.Reader", s.options.Template)
		}
		return nil
	}
	dir, err := s.options.dataPath("settings")
	if err != nil {
		return err
	}
	const name = "of the settings"
	binaries, err := build.Build(ctx, s.processes, []build.Function{{Name: name, Dir: c.Reader, BuildMethod: "go1.x"}}, dir)
	if err != nil {
		return err
	}
	if err := s.runReader(ctx, binaries[name]); err != nil {
		return err
	}
	for _, warning := range s.settings.Warnings {
		s.console.Step("warning", "%s", warning)
	}
	if given := s.settings.get("storage.type"); s.options.Storage == "" && given.Source != "" {
		s.options.Storage, s.storageSource = given.Value, given.Source
		if err := checkStorage(given.Source+": storage.type", given.Value); err != nil {
			return err
		}
	}
	return s.settings.check()
}

// runReader runs the program with the file and the parameters that the user gave. When it finds something wrong, the
// parameters that no key fills are checked as well, so that the user sees all at once.
func (s *stack) runReader(ctx context.Context, binary string) error {
	given, others := s.givenParameters()
	in, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	cmd := exec.CommandContext(ctx, binary)
	if s.options.Config != "" {
		cmd.Args = append(cmd.Args, s.options.Config)
	}
	var out, wrong bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &wrong // not as arguments: they may be passwords
	if err := s.processes.Run(cmd, syscall.SIGTERM); err != nil {
		if wrong.Len() > 0 {
			err = errors.New(string(bytes.TrimSpace(wrong.Bytes())))
		}
		return fmt.Errorf("configuration:\n%w", errors.Join(err, s.template.CheckParameters(others)))
	}
	if err := json.Unmarshal(out.Bytes(), &s.settings); err != nil {
		return fmt.Errorf("configuration: %s does not print settings", s.template.Configuration.Reader) // the error could show some
	}
	return nil
}

// givenParameters are the parameters of the command line: as settings of the keys that fill them, in the keys' order, and
// those that no key fills.
func (s *stack) givenParameters() (given []setting, others map[string]string) {
	others = maps.Clone(s.options.Parameters)
	keys := s.template.Configuration.Parameters
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		name := keys[key]
		if value, ok := s.options.Parameters[name]; ok {
			given = append(given, setting{Key: key, Value: value, Source: "parameter " + name})
			delete(others, name)
		}
	}
	return given, others
}

// check refuses what only AWS has.
func (c *settings) check() error {
	for key, instead := range map[string]string{"storage.secret_arn": "", "storage.auth": "password"} {
		if found := c.get(key); found.Source != "" && found.Value != instead {
			return fmt.Errorf("%s: %s is %q; the local stack has no Secrets Manager and no IAM: give the database's password",
				found.Source, key, found.Value)
		}
	}
	return nil
}

// get returns a key, the zero value where there is none.
func (c *settings) get(key string) setting {
	for _, found := range c.Settings {
		if found.Key == key {
			return found
		}
	}
	return setting{}
}

// duration returns the value of a key; 0 where there is none.
func (c *settings) duration(key string) time.Duration {
	d, _ := time.ParseDuration(c.get(key).Value) // its reader has checked it
	return d
}

// port is the REST API's.
func (s *stack) port() int {
	if s.options.Port != nil {
		return *s.options.Port
	}
	if port, err := strconv.Atoi(s.settings.get("server.port").Value); err == nil {
		return port
	}
	return defaultPort
}

// timeouts are the REST API's, as they are configured.
func (s *stack) timeouts() listen.Timeouts {
	return listen.Timeouts{
		ReadHeader: s.settings.duration("server.read_header_timeout"),
		Read:       s.settings.duration("server.read_timeout"),
		Write:      s.settings.duration("server.write_timeout"),
		Idle:       s.settings.duration("server.idle_timeout"),
	}
}

// configured returns the setting that fills a template parameter, if it is not left at its default.
func (s *stack) configured(parameter string) (setting, bool) {
	if c := s.template.Configuration; c != nil {
		for key, filled := range c.Parameters {
			if found := s.settings.get(key); filled == parameter && found.Source != "" {
				return found, true
			}
		}
	}
	return setting{}, false
}

// own are the settings of the local stack itself.
var own = map[string]bool{
	"server.port": true, "server.read_timeout": true, "server.write_timeout": true, "server.read_header_timeout": true,
	"server.idle_timeout": true, "storage.type": true,
}

// variables are the environment variables of all functions: the given settings that neither fill a template parameter
// nor concern the local stack itself. One that a function has from the template itself would reach nobody.
func (s *stack) variables(resolved *spec.Stack) (map[string]string, error) {
	variables := map[string]string{}
	var errs []error
	for _, found := range s.settings.Settings {
		if found.Source == "" || own[found.Key] || s.template.Configuration.Parameters[found.Key] != "" {
			continue
		}
		variables[found.Variables[0]] = found.Value
		for _, f := range resolved.Functions {
			for _, variable := range found.Variables {
				if _, taken := f.Environment[variable]; taken {
					errs = append(errs, fmt.Errorf("%s: %s has no effect: the template sets %s of %s", found.Source, found.Key, variable, f.Name))
				}
			}
		}
	}
	return variables, errors.Join(errs...)
}
