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

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/listen"
)

// Options say what to run and where. ParseFlags fills them from a command line.
type Options struct {
	// Template is the path of the SAM template; default infra/sam/template.yaml.
	Template string
	// Parameters override the template's parameters, by name.
	Parameters map[string]string
	// Config is the path of the application's configuration file; "" is none. The program that the template's Metadata
	// names reads it, and the environment.
	Config string
	// Port is the REST API's TCP port on 127.0.0.1, 0 for any free one; nil is server.port of the configuration, else 8080.
	Port *int
	// AWSPort is the AWS endpoint's TCP port on 127.0.0.1, 0 for any free one; default 4566, as LocalStack's.
	AWSPort int
	// AllowHosts are the host names that both ports accept besides localhost and loopback addresses, in the Host header
	// and as the origin of web pages.
	AllowHosts []string
	// Storage chooses where tasks are kept: "postgres"; "internal", which is a file in Data; or "auto", a Postgres that is
	// configured or installed, else internal. "" is storage.type of the configuration, else auto.
	Storage string
	// ClickHouse says where log lines go beside the terminal: "off", host:port of a running server's native protocol, or
	// "auto" for the configured server or else an installed one, which is started. "" is the configured one or else off.
	ClickHouse string
	// Data is the folder of what outlives a run; default .local. It is created when missing.
	Data string
	// Profile serves the profiles (net/http/pprof) of the local stack and of all environments on free ports of 127.0.0.1.
	Profile bool
	// LogLevel is the lowest level that a terminal shows (LOG_LEVEL); default info. See console.Options.
	LogLevel slog.Level
	// DatabaseURL is an existing Postgres to use (DATABASE_URL); "" starts a private one where the template wants one.
	DatabaseURL string
}

const (
	// defaultPort is the REST API's where neither Options nor the configuration say another.
	defaultPort = 8080
	// defaultAWSPort is LocalStack's.
	defaultAWSPort = 4566
)

// ParseFlags reads the command line. Errors are one line that names the flag and what it takes; flag.ErrHelp means that all
// flags were printed to output, as was asked for.
func ParseFlags(args []string, output io.Writer) (Options, error) {
	o := Options{AWSPort: defaultAWSPort, DatabaseURL: os.Getenv("DATABASE_URL")}
	var parameters string
	flags := flag.NewFlagSet("localstack", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error says what is wrong, and the list of all flags would hide it
	flags.StringVar(&o.Template, "template", "infra/sam/template.yaml", "the SAM template to run")
	flags.StringVar(&parameters, "parameter-overrides", "", `template parameters as SAM writes them: "Name=value Name=value"`)
	flags.StringVar(&o.Config, "config", "", "the application's config.yaml; flags and environment variables win over it")
	flags.Func("port", "port of the REST API on 127.0.0.1, 0 for any free one (default server.port of the configuration, 8080)", o.setPort)
	flags.Func("aws-port", "port of the AWS endpoint on 127.0.0.1, 0 for any free one (default 4566)", o.setAWSPort)
	flags.Func("allow-host", "host name that the ports accept besides localhost and loopback addresses; repeatable", o.allowHost)
	flags.StringVar(&o.Storage, "storage", "", "where tasks are kept: postgres; internal, a file below --data; or auto, a Postgres that is configured or installed, else internal (default storage.type of the configuration, else auto)")
	flags.StringVar(&o.ClickHouse, "clickhouse", "", "where logs go beside the terminal: off, host:port, or auto, which starts an installed server (default clickhouse.address of the configuration, else off)")
	flags.StringVar(&o.Data, "data", ".local", "folder of what outlives a run")
	flags.BoolVar(&o.Profile, "pprof", false, "serve net/http/pprof of the local stack and of every function environment")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(output)
			flags.Usage()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("argument %q is not known; run with --help for the flags", flags.Arg(0))
	}
	var err error
	if o.LogLevel, err = console.Level(os.Getenv("LOG_LEVEL")); err != nil {
		return o, err
	}
	if o.Parameters, err = parseParameters(parameters); err != nil {
		return o, err
	}
	return o, o.check()
}

func (o *Options) setPort(text string) error {
	port, err := parsePort(text, "PORT")
	o.Port = &port
	return err
}

func (o *Options) setAWSPort(text string) (err error) {
	o.AWSPort, err = parsePort(text, "AWS_PORT")
	return err
}

func (o *Options) allowHost(name string) error {
	if err := listen.CheckHost(name); err != nil {
		return err
	}
	o.AllowHosts = append(o.AllowHosts, name)
	return nil
}

// parsePort reads a TCP port, which make takes as a variable.
func parsePort(text, variable string) (int, error) {
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return 0, fmt.Errorf("allowed are 0 to 65535 (make run %s=…)", variable)
	}
	return port, nil
}

// check says what is wrong with options, all at once where it can.
func (o Options) check() error {
	if err := checkClickHouse(o.ClickHouse); err != nil {
		return err
	}
	return checkStorage("--storage", o.Storage)
}

// parseParameters reads SAM's "Name=value Name=value". A value with spaces stands in double quotes, in which a
// backslash makes the next character plain. The long form ParameterKey=…,ParameterValue=… is read too.
func parseParameters(text string) (map[string]string, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, fmt.Errorf("--parameter-overrides: %w", err)
	}
	parameters := map[string]string{}
	for _, word := range words {
		if rest, long := strings.CutPrefix(word, "ParameterKey="); long {
			word = strings.Replace(rest, ",ParameterValue=", "=", 1)
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--parameter-overrides: %q is not of the form Name=value", word)
		}
		if _, twice := parameters[name]; twice {
			return nil, fmt.Errorf("--parameter-overrides: %s is given twice", name)
		}
		parameters[name] = value
	}
	return parameters, nil
}

// splitWords splits at spaces outside double quotes.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted && i+1 < len(text):
			i++
			word.WriteByte(text[i])
		case c == '"':
			quoted, inWord = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quoted {
		return nil, fmt.Errorf("a double quote is not closed in %q", text)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// dataPath is a path in the data folder, made absolute because children run in folders of their own.
func (o Options) dataPath(elem ...string) (string, error) {
	path, err := filepath.Abs(filepath.Join(append([]string{o.Data}, elem...)...))
	if err != nil {
		return "", fmt.Errorf("data folder %s: %w", o.Data, err)
	}
	return path, nil
}
