package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"modernc.org/sqlite"
)

// engine is SQLite with the function now_us(), the microseconds since 1970. SQLite's own clock knows milliseconds, and a
// time that comes with a statement's arguments would be as old as the statement waited for the lock.
var engine = func() *sqlite.Driver {
	e := new(sqlite.Driver)
	err := e.RegisterFunction("now_us", &sqlite.FunctionImpl{
		Scalar: func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
			return time.Now().UnixMicro(), nil
		},
	})
	if err != nil {
		panic(err) // part of the program
	}
	return e
}()

// connector is the name of a file in the driver's notation.
type connector string

// Connect opens the file.
func (c connector) Connect(context.Context) (driver.Conn, error) { return engine.Open(string(c)) }

// Driver is the engine.
func (c connector) Driver() driver.Driver { return engine }
