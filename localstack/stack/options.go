package stack

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Options say what to run and where. ParseFlags fills them from a command line.
type Options struct {
	// Template is the path of the SAM template; default template.yaml.
	Template string
	// StackName is AWS::StackName. Default: stack_name of the samconfig.toml beside the template, else the name of the
	// template's folder.
	StackName string
	// Parameters override the template's parameters, by name.
	Parameters map[string]spec.Value
	// Variables are environment variables of functions, by logical id, and under template.AllFunctions of all functions.
	Variables map[string]map[string]string
	// Provide chooses the backing services: provide.Auto, On, Off or the address of a server, by service.
	Provide map[string]string
	// Port is the REST API's TCP port on 127.0.0.1, 0 for any free one; default 8080.
	Port int
	// AWSPort is the AWS endpoint's TCP port on 127.0.0.1, 0 for any free one; default 4566, like LocalStack.
	AWSPort int
	// Timeouts are the time-outs of the REST API's port.
	Timeouts listen.Timeouts
	// AllowHosts are the host names that both ports accept besides localhost and loopback addresses, in the Host header
	// and as the origin of web pages.
	AllowHosts []string
	// Data is the folder of everything that outlives a run; default .local. Run creates it if it is missing.
	Data string
	// Profile serves the profiles (net/http/pprof) of the local stack and of all environments on free ports of 127.0.0.1.
	Profile bool
	// LogLevel is the lowest level that a terminal shows (LOG_LEVEL); default info. See console.Options.
	LogLevel slog.Level
	// Check makes Run return once the plan is made, with the errors of a start. It starts nothing.
	Check bool
	// Version requests the version instead of a run. Run ignores it.
	Version bool
}

// ParseFlags reads the command line. An error is one line that names the flag and the allowed values. flag.ErrHelp
// means that the user asked for help, and ParseFlags printed all flags to output.
func ParseFlags(args []string, output io.Writer) (Options, error) {
	o := Options{Parameters: map[string]spec.Value{}, Provide: map[string]string{}}
	flags := flag.NewFlagSet("localstack", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says what is wrong; the list of all flags would hide it
	flags.StringVar(&o.Template, "template", "template.yaml", "the SAM template to run")
	flags.StringVar(&o.StackName, "stack-name", "", "name of the stack (default stack_name of samconfig.toml, else the template's folder)")
	flags.Func("parameter-overrides", `template parameters, "Name=value Name=value" or file://PATH of a YAML or JSON mapping; repeatable`, o.overrideParameters)
	flags.Func("env-vars", `file of environment variables in SAM's form, {"Parameters": {"NAME": "of all"}, "LogicalId": {"NAME": "of one"}}`, o.readVariables)
	flags.Func("provide", "a backing service of the template's Metadata, NAME=auto, on, off or an address; repeatable", o.setProvide)
	flags.Func("port", "port of the REST API on 127.0.0.1, 0 for any free one (default 8080)", port(&o.Port, 8080))
	flags.Func("aws-port", "port of the AWS endpoint on 127.0.0.1, 0 for any free one (default 4566)", port(&o.AWSPort, 4566))
	flags.Func("allow-host", "host name that the ports accept besides localhost and loopback addresses; repeatable", o.allowHost)
	flags.Func("read-header-timeout", "time for the header of a request to the REST API, such as 5s (default 10s)", timeout(&o.Timeouts.ReadHeader))
	flags.Func("read-timeout", "time for the body of a request to the REST API (default 30s)", timeout(&o.Timeouts.Read))
	flags.Func("write-timeout", "time for a client of the REST API to take a piece of an answer (default 30s)", timeout(&o.Timeouts.Write))
	flags.Func("idle-timeout", "how long to keep an idle connection to the REST API (default 2m)", timeout(&o.Timeouts.Idle))
	flags.StringVar(&o.Data, "data", ".local", "folder of everything that outlives a run")
	flags.BoolVar(&o.Profile, "pprof", false, "serve net/http/pprof of the local stack and of every function environment")
	flags.BoolVar(&o.Check, "check", false, "check template and options, and start nothing")
	flags.BoolVar(&o.Version, "version", false, "print the version")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(output)
			flags.Usage()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q; run with --help for the flags, and quote several parameters: --parameter-overrides \"A=b C=d\"", flags.Arg(0))
	}
	var err error
	o.LogLevel, err = console.Level(os.Getenv("LOG_LEVEL"))
	return o, err
}

// port returns a parser of a TCP port. It first sets the default.
func port(to *int, byDefault int) func(string) error {
	*to = byDefault
	return func(text string) error {
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 || number > 65535 {
			return errors.New("allowed are 0 to 65535")
		}
		*to = number
		return nil
	}
}

func timeout(to *time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("allowed are durations such as 500ms, 5s and 2m; 0s is the default")
		}
		*to = d
		return nil
	}
}

func (o *Options) allowHost(name string) error {
	o.AllowHosts = append(o.AllowHosts, name)
	return listen.CheckHost(name)
}

func (o *Options) setProvide(text string) error {
	name, choice, ok := strings.Cut(text, "=")
	if !ok || name == "" || choice == "" {
		return errors.New("it must have the form NAME=auto, NAME=on, NAME=off or NAME=address")
	}
	o.Provide[name] = choice
	return nil
}

// dataFolder returns the data folder's absolute path, since children run in other folders.
func (o Options) dataFolder() (string, error) {
	path, err := filepath.Abs(o.Data)
	if err != nil {
		return "", fmt.Errorf("data folder %s: %w", o.Data, err)
	}
	return path, nil
}
