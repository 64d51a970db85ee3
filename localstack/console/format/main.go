// Command format makes JSON log lines readable: it reads them from stdin, from whatever logger, and writes one line each
// to stdout, with colors if that is a terminal. Other lines stay as they are, but for their control characters. The
// environment variable LOG_LEVEL is the lowest level that it shows: debug, info (the default), warn or error.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/console"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("LOG_LEVEL"), os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "format:", err)
		os.Exit(1)
	}
}

func run(args []string, level string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("format", flag.ContinueOnError)
	hide := flags.String("hide", "", "members that are not shown, separated by commas, beyond request_id and its like; LOG_LEVEL=debug shows all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("argument %q is unknown; the lines come from stdin", flags.Arg(0))
	}
	lowest, err := console.Level(level)
	if err != nil {
		return err
	}
	c := console.New(out, console.Options{Level: lowest, Hide: strings.Split(*hide, ","), Format: true})
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			c.Log("", bytes.TrimRight(line, "\r\n"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the lines: %w", err)
		}
	}
}
