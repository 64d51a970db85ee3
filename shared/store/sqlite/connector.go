package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// engine is SQLite with the function now_us(), the microseconds since 1970. SQLite's own clock has milliseconds, and a
// time in a statement's arguments would be old after a wait for the lock.
var engine = func() *sqlite.Driver {
	e := new(sqlite.Driver)
	err := e.RegisterFunction("now_us", &sqlite.FunctionImpl{
		Scalar: func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
			return time.Now().UnixMicro(), nil
		},
	})
	if err != nil {
		panic(err) // a bug in the program
	}
	return e
}()

// connector opens the connections to a file.
type connector struct {
	path string
	// name is the file in the driver's notation.
	name string
}

func newConnector(path string) (connector, error) {
	if path == "" {
		return connector{}, errors.New("STORAGE_PATH is not set; it is the file of the internal store")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return connector{}, fmt.Errorf("file of the internal store: %w", err)
	}
	query := url.Values{
		"mode":          {"rw"}, // a file without tables would be useless
		"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())},
		"_synchronous":  {"NORMAL"},
		"_dqs":          {"0"}, // "x" is a name, never a text
		"_error_rc":     {"1"}, // an error's text is its own
	}
	return connector{path, (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()}, nil
}

// Connect opens the file.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := engine.Open(c.name)
	if err != nil {
		return nil, fmt.Errorf("open %s, which 'migrate up' creates: %w", c.path, err)
	}
	return conn, nil
}

// Driver is the engine.
func (c connector) Driver() driver.Driver { return engine }
