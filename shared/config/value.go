package config

import (
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is a field of Config that parses and formats itself. Errors of set say what is allowed. The loader adds the
// key, the place, and the text unless it is a secret.
type value interface {
	set(string) error
	text() string
}

// confidential is a value whose text errors must not show.
type confidential interface{ confidential() }

type text struct{ to *string }

func (v text) set(s string) error { *v.to = s; return nil }
func (v text) text() string       { return *v.to }

type secret struct{ to *Secret }

func (v secret) set(s string) error { *v.to = Secret(s); return nil }
func (v secret) text() string       { return string(*v.to) }
func (secret) confidential()        {}

type choice struct {
	to      *string
	allowed []string
}

func (v choice) set(s string) error {
	if !slices.Contains(v.allowed, s) {
		return errors.New(strings.Join(v.allowed, ", "))
	}
	*v.to = s
	return nil
}
func (v choice) text() string { return *v.to }

type number struct {
	to       *int
	min, max int
}

func (v number) set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < v.min || n > v.max {
		return fmt.Errorf("whole numbers from %d to %d", v.min, v.max)
	}
	*v.to = n
	return nil
}
func (v number) text() string { return strconv.Itoa(*v.to) }

// optional is a number above 0, or an empty text, which means 0.
type optional struct{ number }

func (v optional) set(s string) error {
	if s == "" {
		*v.to = 0
		return nil
	}
	if err := v.number.set(s); err != nil {
		return fmt.Errorf("nothing, or %w", err)
	}
	return nil
}

func (v optional) text() string {
	if *v.to == 0 {
		return ""
	}
	return v.number.text()
}

type boolean struct{ to *bool }

func (v boolean) set(s string) error {
	switch s {
	case "true", "True", "TRUE", "1", "yes", "on":
		*v.to = true
	case "false", "False", "FALSE", "0", "no", "off":
		*v.to = false
	default:
		return errors.New("true, false")
	}
	return nil
}
func (v boolean) text() string { return strconv.FormatBool(*v.to) }

type probability struct{ to *float64 }

func (v probability) set(s string) error {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return errors.New("numbers from 0 to 1")
	}
	*v.to = p
	return nil
}
func (v probability) text() string { return strconv.FormatFloat(*v.to, 'g', -1, 64) }

type duration struct {
	to       *time.Duration
	min, max time.Duration
	special  string // other allowed texts, for the message
}

func (v duration) set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < v.min || d > v.max {
		return fmt.Errorf("%sdurations from %s to %s, such as 500ms, 2s or 1m30s", v.special, v.min, v.max)
	}
	*v.to = d
	return nil
}
func (v duration) text() string { return v.to.String() }

// seconds is a duration in the template's form: a whole number of seconds without a unit.
type seconds struct{ duration }

func (v seconds) set(s string) error {
	least, most := int(v.min/time.Second), int(v.max/time.Second)
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return fmt.Errorf("whole seconds from %d to %d, without a unit", least, most)
	}
	*v.to = time.Duration(n) * time.Second
	return nil
}
func (v seconds) text() string { return strconv.Itoa(int(*v.to / time.Second)) }

// url is an absolute URL or an empty text. A URL that may hold a password is in secret, any other in to.
type url struct {
	to      *string
	secret  *Secret
	schemes []string
}

func (v url) set(s string) error {
	if s != "" {
		if err := v.check(s); err != nil {
			return err
		}
	}
	if v.secret != nil {
		*v.secret = Secret(s)
		return nil
	}
	*v.to = s
	return nil
}

// check says what is wrong with a URL and does not quote it: the text of a wrong port may be a part of the password.
func (v url) check(s string) error {
	if scheme, _, found := strings.Cut(s, "://"); !found || !slices.Contains(v.schemes, scheme) {
		return fmt.Errorf("URLs that begin with %s://", strings.Join(v.schemes, ":// or "))
	}
	u, err := neturl.Parse(s)
	switch {
	case err != nil && strings.Contains(err.Error(), ": invalid port "), err == nil && u.Port() != "" && !isPort(u.Port()):
		return errors.New("URLs with a port from 1 to 65535, and with / ? # of a password as %2F %3F %23")
	case err != nil:
		return errors.New("URLs with special characters percent-encoded, such as @ as %40 and % as %25")
	case u.Host == "" && u.Path == "":
		return errors.New("URLs with a host or a path")
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

func (v url) text() string {
	if v.secret != nil {
		return string(*v.secret)
	}
	return *v.to
}

type arn struct{ to *string }

func (v arn) set(s string) error {
	if s != "" && !(strings.HasPrefix(s, "arn:") && strings.Contains(s, ":secretsmanager:")) {
		return errors.New("ARNs of Secrets Manager, such as arn:aws:secretsmanager:eu-west-1:111122223333:secret:name")
	}
	*v.to = s
	return nil
}
func (v arn) text() string { return *v.to }

// addresses is a list of host:port separated by commas, or an empty text.
type addresses struct{ to *string }

func (v addresses) set(s string) error {
	if s != "" {
		for address := range strings.SplitSeq(s, ",") {
			host, port, err := net.SplitHostPort(address)
			if err != nil || host == "" || !isPort(port) {
				return errors.New("host:port, such as clickhouse:9000, or several separated by commas")
			}
		}
	}
	*v.to = s
	return nil
}
func (v addresses) text() string { return *v.to }
