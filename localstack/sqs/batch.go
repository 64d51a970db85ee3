package sqs

import (
	"errors"
	"fmt"
	"regexp"
)

// failedEntry is a batch entry that was refused.
type failedEntry struct {
	Id          string
	SenderFault bool
	Code        string
	Message     string
}

func failed(id string, err error) failedEntry {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return failedEntry{Id: id, SenderFault: true, Code: refusal.queryCode(), Message: refusal.Message}
	}
	return failedEntry{Id: id, Code: codeInternal, Message: err.Error()}
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkEntries says what is wrong with a batch as a whole.
func checkEntries[T any](entries []T, kind string, id func(T) string) error {
	if len(entries) == 0 {
		return &Error{Code: "EmptyBatchRequest", Message: fmt.Sprintf("There should be at least one %s in the request.", kind)}
	}
	if len(entries) > maxBatch {
		return &Error{Code: "TooManyEntriesInBatchRequest", Message: fmt.Sprintf(
			"Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(entries))}
	}
	seen := map[string]bool{}
	for _, e := range entries {
		id := id(e)
		if !entryID.MatchString(id) {
			return &Error{Code: "InvalidBatchEntryId", Message: "A batch entry id can only contain alphanumeric characters, hyphens and underscores. " +
				"It can be at most 80 letters long."}
		}
		if seen[id] {
			return &Error{Code: "BatchEntryIdsNotDistinct", Message: fmt.Sprintf("Id %s repeated.", id)}
		}
		seen[id] = true
	}
	return nil
}

// doneEntry is a successful entry of a batch.
type doneEntry interface {
	deletedEntry | changedEntry
	~struct{ Id string }
}

type deletedEntry struct{ Id string }

func (deletedEntry) xmlName() string { return "DeleteMessageBatchResultEntry" }

type changedEntry struct{ Id string }

func (changedEntry) xmlName() string { return "ChangeMessageVisibilityBatchResultEntry" }

// eachEntry does each entry's work and sorts the results.
func eachEntry[Done doneEntry, T any](entries []T, id func(T) string, do func(T) error) (out batchResponse[Done]) {
	for _, e := range entries {
		if err := do(e); err != nil {
			out.Failed = append(out.Failed, failed(id(e), err))
		} else {
			out.Successful = append(out.Successful, Done{id(e)})
		}
	}
	return out
}
