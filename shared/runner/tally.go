package runner

import (
	"context"
	"log/slog"
)

// outcome is what became of a message.
type outcome int

const (
	ran       outcome = iota // its task was run to an ending, or as far as this worker could
	duplicate                // its task was unknown, deleted, ended or running elsewhere: acknowledged
	malformed                // it named no task: dropped
	returned                 // the store failed: it comes again
)

// tally counts the messages of an invocation.
type tally [returned + 1]int

func (t *tally) add(o outcome) { t[o]++ }

// log writes one line per invocation, whose figures a query over the log sums.
func (t *tally) log(ctx context.Context, log *slog.Logger) {
	log.InfoContext(ctx, "messages handled", "ran", t[ran], "duplicates", t[duplicate], "malformed", t[malformed], "returned", t[returned])
}
