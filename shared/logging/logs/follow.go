package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// period is how often follow looks for new lines.
	period = time.Second
	// late is how long after its logging a line may arrive and still be shown. It exceeds a batch_interval of a minute,
	// and the minute between two sweeps, which send the lines of a failed flush.
	late = 3 * time.Minute
	// before is the age of the oldest lines that follow shows at first.
	before = 10 * time.Second
)

// follow prints each line once, as it arrives, until ctx ends. It fails if the server does not answer at first. If the
// server goes down later, follow waits for it.
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
			_ = r.connect() // if no server is found, the old one is queried
		}
	}
}

// printNew prints the lines that are not in seen.
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

// forget removes lines from seen that are too old, and returns the time from which the next query must look. from and
// asked are the last query's start and time.
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
