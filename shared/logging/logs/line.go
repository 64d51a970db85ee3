package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// key identifies a line.
type key struct {
	batch  string
	number uint32
}

// line is a row of the table logs, without the columns that people do not need.
type line struct {
	key
	at         time.Time
	level      string
	function   string
	message    string
	task       string
	attempt    uint32
	attributes string
}

// print writes a line as one JSON object. Its members are those of the function's own line; the attributes follow
// unchanged.
func (r *reader) print(l line) error {
	text, err := json.Marshal(struct {
		Time     time.Time `json:"time"`
		Level    string    `json:"level"`
		Function string    `json:"function"`
		Message  string    `json:"msg"`
		Task     string    `json:"task_id,omitempty"`
		Attempt  uint32    `json:"attempt,omitempty"`
	}{l.at.UTC(), l.level, l.function, l.message, l.task, l.attempt})
	if err != nil {
		return fmt.Errorf("encode a log line: %w", err)
	}
	if attributes := []byte(l.attributes); len(attributes) > len("{}") && attributes[0] == '{' && json.Valid(attributes) {
		text = append(append(text[:len(text)-1], ','), attributes[1:]...)
	}
	_, err = r.out.Write(append(text, '\n'))
	return err
}
