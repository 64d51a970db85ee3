package sqs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// serveJSON answers in AWS JSON 1.0. See https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html.
func (c call) serveJSON(w http.ResponseWriter, r *http.Request) {
	answer, err := c.answerJSON(w, r)
	w.Header().Set("X-Amzn-Requestid", awsid.NewRequestID())
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		writeJSONError(w, err)
		return
	}
	body, err := json.Marshal(answer)
	if err != nil {
		writeJSONError(w, fmt.Errorf("encode answer: %w", err))
		return
	}
	_, _ = w.Write(body) // fails when the client has gone away
}

func (c call) answerJSON(w http.ResponseWriter, r *http.Request) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !ok || r.Method != http.MethodPost {
		return nil, &Error{Code: codeUnknownOperation, Message: "SQS's JSON protocol is a POST with a header X-Amz-Target: AmazonSQS.{Operation}."}
	}
	text, err := body(w, r)
	if err != nil {
		return nil, err
	}
	return c.operate(name, codeUnknownOperation, func(request any) error { return readJSON(text, request) })
}

// readJSON reads a request. A member that the request lacks is refused by name.
func readJSON(text []byte, request any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(request)
	if err == nil {
		_, err = decoder.Token() // io.EOF at the end
	}
	if err == nil {
		err = errors.New("the request has more than one JSON value")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return unsupported("the parameter " + name)
	}
	return &Error{Code: codeSerialization, Message: err.Error()}
}

// writeJSONError also says the query protocol's code, by which older clients know the error.
// See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#awsprotocols-awsquerycompatible-trait.
func writeJSONError(w http.ResponseWriter, err error) {
	refusal, status := refusalOf(err)
	fault := "Sender"
	if status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	w.Header().Set("X-Amzn-Query-Error", refusal.queryCode()+";"+fault)
	awsid.WriteError(w, status, refusal.typeName(), refusal.Message)
}
