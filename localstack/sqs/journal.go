package sqs

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// journal is the file in which a queue outlives its process: a line of JSON for each change.
//
//	{"op":"send","message":{"id":…,"body":…,"sent":…}}
//	{"op":"receive","id":…,"receives":2,"first":…}
//	{"op":"delete","id":…}
//	{"op":"queue","queue":{"name":…,"attributes":{…}}}   a queue that CreateQueue made; the last one counts
//	{"op":"dedup","message":{"id":…,"dedup":…}}          a deduplication id that outlives its message
//
// Its zero value keeps nothing. The service's mu guards it.
type journal struct {
	file    *os.File
	path    string
	size    int64 // up to the end of the last whole record
	records int
	wait    int   // how many records there are at least when the journal is compacted next, after a failure
	broken  error // set when the file could not be brought back to size
}

type record struct {
	Op       string       `json:"op"`
	Message  *message     `json:"message,omitempty"`
	Queue    *queueRecord `json:"queue,omitempty"`
	ID       string       `json:"id,omitempty"`
	Receives int          `json:"receives,omitempty"`
	First    int64        `json:"first,omitempty"`
}

// queueRecord is a queue that no template declares.
type queueRecord struct {
	Account    string            `json:"account"`
	Region     string            `json:"region"`
	Name       string            `json:"name"`
	Created    int64             `json:"created"`  // epoch milliseconds
	Modified   int64             `json:"modified"` // epoch milliseconds
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
}

func appendRecord(to []byte, r record) ([]byte, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode %s record: %w", r.Op, err)
	}
	return append(append(to, line...), '\n'), nil
}

// sendRecord is a record with the members of a send only, which encodes faster.
type sendRecord struct {
	Op      string   `json:"op"`
	Message *message `json:"message"`
}

func appendSend(to []byte, m *message) ([]byte, error) {
	line, err := json.Marshal(sendRecord{"send", m})
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return append(append(to, line...), '\n'), nil
}

// queueRecord is the queue as its journal keeps it.
func (q *Queue) queueRecord(c settings) record {
	return record{Op: "queue", Queue: &queueRecord{
		Account: q.key.account, Region: q.key.region, Name: q.key.name, Created: q.created.UnixMilli(), Modified: q.modified.UnixMilli(),
		Attributes: c.attributes(), Tags: c.tags,
	}}
}

// appendReceive and appendDelete write by hand what is simple and frequent.
func appendReceive(to []byte, id string, receives int, first int64) []byte {
	to = append(append(to, `{"op":"receive","id":"`...), id...)
	to = strconv.AppendInt(append(to, `","receives":`...), int64(receives), 10)
	to = strconv.AppendInt(append(to, `,"first":`...), first, 10)
	return append(to, "}\n"...)
}

func appendDelete(to []byte, id string) []byte {
	return append(append(append(to, `{"op":"delete","id":"`...), id...), "\"}\n"...)
}

// write appends whole records. After an error the file ends where it ended before.
func (j *journal) write(lines []byte, records int) error {
	if j.file == nil {
		return nil
	}
	if j.broken != nil {
		return j.broken
	}
	if _, err := j.file.Write(lines); err != nil {
		if cut := j.file.Truncate(j.size); cut != nil {
			j.broken = fmt.Errorf("journal %s is torn after a failed write: %w", j.path, cut)
		}
		return fmt.Errorf("write journal: %w", err)
	}
	j.size += int64(len(lines))
	j.records += records
	return nil
}

// clear forgets all records.
func (j *journal) clear() error {
	if j.file == nil {
		return nil
	}
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("clear journal: %w", err)
	}
	j.size, j.records, j.broken = 0, 0, nil
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
