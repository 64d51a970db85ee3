package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// period is how often follow looks for new lines.
	period = time.Second
	// late is the longest time from a line's logging to its arrival for which follow shows it. It is above a
	// batch_interval of a minute, and above the minute between two sweeps, which send the lines of a failed flush.
	late = 3 * time.Minute
	// before is the age of the oldest lines that follow shows at first.
	before = 10 * time.Second
)

// follow prints each line once, as it arrives, until ctx ends. It fails if the server does not answer at first. It waits
// for a server that goes away later.
func (r *reader) follow(ctx context.Context) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	seen := map[key]time.Time{}
	from := time.Now().Add(-before)
	answered, away := false, false
	for {
		asked := time.Now()
		lines, err := r.read(ctx, from, "")
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !answered:
			return err
		case err != nil && !away:
			away = true
			_, _ = fmt.Fprintf(r.notes, "logs: waiting for ClickHouse to come back: %v\n", err)
		case err == nil && away:
			away = false
			_, _ = fmt.Fprintln(r.notes, "logs: ClickHouse is back")
		}
		if err == nil {
			answered = true
			if err := r.printNew(lines, seen); err != nil {
				return err
			}
			from = forget(seen, from, asked)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if away {
			_ = r.connect() // without a server to be found it is the old one that is asked
		}
	}
}

// printNew prints the lines that were not seen yet.
func (r *reader) printNew(lines []line, seen map[key]time.Time) error {
	for _, l := range lines {
		if _, known := seen[l.key]; known {
			continue
		}
		seen[l.key] = l.at
		if err := r.print(l); err != nil {
			return err
		}
	}
	return nil
}

// forget returns from when on lines are still looked for after those that were asked for at a time, and forgets older ones.
func forget(seen map[key]time.Time, from, asked time.Time) time.Time {
	if next := asked.Add(-late); next.After(from) {
		from = next
	}
	for k, at := range seen {
		if at.Before(from.Add(-time.Second)) {
			delete(seen, k)
		}
	}
	return from
}
