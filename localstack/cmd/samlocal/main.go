// Command samlocal runs the SAM CLI beside a running stack. It asks the stack's AWS endpoint for the variables of its
// functions and writes them to the file for --env-vars. It also lets the CLI's containers reach this machine's loopback
// addresses.
//
//	samlocal -aws http://127.0.0.1:4566 -env env.json sam local start-api --env-vars env.json \
//		--add-host host.docker.internal:host-gateway
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode()) // the command has said why
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "samlocal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("samlocal", flag.ExitOnError)
	endpoint := flags.String("aws", "http://127.0.0.1:4566", "AWS endpoint of the running stack")
	file := flags.String("env", "env.json", "file that is written for --env-vars")
	hint := flags.String("hint", "", "what to say when no stack runs")
	var refused refusals
	flags.Var(&refused, "refuse", "`NAME=value: reason`, a variable that no container can use; repeatable")
	_ = flags.Parse(arguments) // exits on an error
	if flags.NArg() == 0 {
		return errors.New("give the command to run, such as: samlocal sam local start-api")
	}
	functions, err := variables(ctx, *endpoint)
	if errors.Is(err, errNoStack) && *hint != "" {
		err = fmt.Errorf("%w; %s", err, *hint)
	}
	if err != nil {
		return err
	}
	if err := refused.check(functions); err != nil {
		return err
	}
	var ports []string
	for _, f := range functions {
		ports = append(ports, moveToHost(f)...)
	}
	if err := write(*file, functions); err != nil {
		return err
	}
	forwarding, err := forwardPorts(ctx, ports)
	if err != nil {
		return err
	}
	defer forwarding.Close()
	command := exec.CommandContext(ctx, flags.Arg(0), flags.Args()[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Ctrl-C reaches the command through the terminal as well. On an interrupt, it removes its containers.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	return command.Run()
}

// write writes the variables with mode 0600: they hold the database's password.
func write(file string, functions map[string]map[string]string) error {
	text, err := json.MarshalIndent(functions, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the variables: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".env-*.json") // 0600
	if err != nil {
		return fmt.Errorf("write the variables: %w", err)
	}
	_, err = temporary.Write(append(text, '\n'))
	if err := errors.Join(err, temporary.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the variables: %w", err), os.Remove(temporary.Name()))
	}
	if err := os.Rename(temporary.Name(), file); err != nil {
		return errors.Join(fmt.Errorf("write the variables: %w", err), os.Remove(temporary.Name()))
	}
	return nil
}
