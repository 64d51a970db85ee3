// Command params turns the configuration into the local stack's input. From config.yaml, the environment and the
// parameters on the command line it makes a file of template parameters, a file of environment variables, and flags. It
// checks all of them together, and reports all errors before anything starts.
//
//	params [-config FILE] [-parameters "Name=value …"] [-storage S] [-clickhouse C] [-out FOLDER] [-- COMMAND ARGUMENT…]
//
// With a COMMAND, params becomes that command, with its flags before the ARGUMENTs, which take precedence. Without one,
// it prints the flags, one a line. Passwords are only in the two files, which have mode 0600.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

func main() {
	err := run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr, become)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are the command line. Empty texts count as omitted.
type options struct {
	config, parameters, storage, clickHouse, out string
	command                                      []string
}

func parse(args []string, env func(string) string, errOut io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("params", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.StringVar(&o.config, "config", "", "the configuration file, in place of KSU_CONFIG")
	flags.StringVar(&o.parameters, "parameters", "", `template parameters as SAM writes them, "Name=value Name=value", in place of the variable PARAMS`)
	flags.StringVar(&o.storage, "storage", "", "where tasks are kept: auto, postgres or internal, in place of storage.type")
	flags.StringVar(&o.clickHouse, "clickhouse", "", "where logs go beside the terminal: off, auto or host:port")
	flags.StringVar(&o.out, "out", ".local/run", "folder of the two files")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.parameters == "" {
		o.parameters = env("PARAMS") // no other user of the machine sees a password there
	}
	o.command = flags.Args()
	if i := len(args) - len(o.command); len(o.command) > 0 && (i == 0 || args[i-1] != "--") {
		return o, fmt.Errorf("unknown argument %q; a command must follow --", o.command[0])
	}
	return o, nil
}

// run writes the files. Then it calls become with the command and the flags, or without a command prints the flags.
func run(args []string, env func(string) string, out, errOut io.Writer, become func([]string) error) error {
	o, err := parse(args, env, errOut)
	if err != nil {
		return err
	}
	s, err := decide(o, env)
	for _, warning := range s.warnings {
		fmt.Fprintln(errOut, "warning:", warning)
	}
	if err != nil {
		return fmt.Errorf("configuration:\n%w", errors.Join(err, s.checked(o.command)))
	}
	flags, err := s.write(o.out)
	if err != nil {
		return err
	}
	if len(o.command) > 0 {
		return become(slices.Concat(o.command[:1], flags, o.command[1:]))
	}
	for _, flag := range flags {
		if _, err := fmt.Fprintln(out, flag); err != nil {
			return err
		}
	}
	return nil
}

// become replaces this process, so that signals reach the command.
func become(command []string) error {
	path, err := exec.LookPath(command[0])
	if err == nil {
		err = syscall.Exec(path, command, os.Environ())
	}
	return fmt.Errorf("run %s: %w", command[0], err)
}
