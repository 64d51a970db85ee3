package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// The invocation types of the Invoke API.
const (
	typeRequestResponse = "RequestResponse"
	typeEvent           = "Event"
	typeDryRun          = "DryRun"
)

// functionsPath is the path of the API of functions.
const functionsPath = "/2015-03-31/functions"

// Handler returns the API of Lambda for the AWS SDKs and the aws command: Invoke
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html), ListFunctions, GetFunction and
// GetFunctionConfiguration. It does not check signatures.
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.serveAPI) }

func (s *Service) serveAPI(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), functionsPath)
	name, verb, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	switch {
	case ok && r.Method == http.MethodPost && verb == "invocations":
		s.serveInvoke(w, r, name)
	case ok && r.Method == http.MethodGet && name == "":
		s.serveList(w)
	case ok && r.Method == http.MethodGet && (verb == "" || verb == "configuration"):
		s.serveGet(w, r, name, verb)
	default:
		writeError(w, apiError{http.StatusNotFound, "UnknownOperationException",
			r.Method + " " + r.URL.Path + " is not emulated", ""})
	}
}

func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, given string) {
	f, err := s.addressed(given, r.URL.Query().Get("Qualifier"))
	if err != nil {
		writeError(w, s.asAPIError(err, given))
		return
	}
	in, kind, err := readInput(r)
	if err != nil {
		writeError(w, s.asAPIError(err, given))
		return
	}
	switch kind {
	case typeDryRun:
		w.WriteHeader(http.StatusNoContent)
	case typeEvent:
		if err := s.async.add(f, in); err != nil {
			writeError(w, s.asAPIError(err, given))
			return
		}
		w.Header()["X-Amzn-Requestid"] = []string{uuid.NewString()}
		w.WriteHeader(http.StatusAccepted)
	default:
		in.LogTail = r.Header.Get("X-Amz-Log-Type") == "Tail"
		out, err := s.Invoke(r.Context(), f.Name, in)
		if err != nil {
			writeError(w, s.asAPIError(err, given))
			return
		}
		writeOutput(w, out)
	}
}

func writeOutput(w http.ResponseWriter, out *spec.Output) {
	h := w.Header()
	h["Content-Type"] = contentJSON
	h["Content-Length"] = []string{strconv.Itoa(len(out.Payload))}
	h["X-Amzn-Requestid"] = []string{out.RequestID}
	h["X-Amz-Executed-Version"] = executedVersion
	if out.FunctionError != "" {
		h["X-Amz-Function-Error"] = []string{out.FunctionError}
	}
	if out.LogTail != nil {
		h["X-Amz-Log-Result"] = []string{base64.StdEncoding.EncodeToString(out.LogTail)}
	}
	_, _ = w.Write(out.Payload) // a caller that has left does not read it
}

var executedVersion = []string{version}

// readInput reads an Invoke request.
func readInput(r *http.Request) (in spec.Input, kind string, err error) {
	kind = r.Header.Get("X-Amz-Invocation-Type")
	limit := maxPayload
	switch kind {
	case "":
		kind = typeRequestResponse
	case typeEvent:
		limit = maxEvent
	case typeRequestResponse, typeDryRun:
	default:
		return in, "", fmt.Errorf("%w: invocation type %q: must be RequestResponse, Event or DryRun", errParameter, kind)
	}
	payload, size, err := readBody(r, limit)
	if errors.Is(err, errTooLarge) {
		return in, "", &PayloadTooLargeError{Size: size, Limit: limit, InvocationType: kind}
	}
	if err != nil {
		return in, "", fmt.Errorf("%w: %w", errContent, err)
	}
	if payload = bytes.TrimSpace(payload); len(payload) > 0 && !json.Valid(payload) {
		var any json.RawMessage
		return in, "", fmt.Errorf("%w: Could not parse request body into json: %w",
			errContent, json.Unmarshal(payload, &any))
	}
	in = spec.Input{Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	if encoded := r.Header.Get("X-Amz-Client-Context"); encoded != "" {
		text, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !json.Valid(text) {
			return in, "", fmt.Errorf("%w: %s", errContent, "Client context must be a valid Base64-encoded JSON object.")
		}
		in.ClientContext = string(text)
	}
	return in, kind, nil
}

// addressed returns the function of a name, a partial ARN or a full ARN, each with or without the version $LATEST.
func (s *Service) addressed(given, qualifier string) (*function, error) {
	parts := strings.Split(given, ":")
	at := 0 // of the name
	for i, part := range parts {
		if part == "function" && i+1 < len(parts) {
			at = i + 1
			break
		}
	}
	if at+1 < len(parts) {
		qualifier = parts[at+1]
	}
	if qualifier != "" && qualifier != version || at+2 < len(parts) {
		return nil, fmt.Errorf("function %q: only the version %s is emulated: %w", given, version, ErrNotFound)
	}
	return s.function(parts[at])
}
