package httpapi

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/eragon-mdi/ksu/shared/task"
)

// maxKey is the longest accepted Idempotency-Key in bytes; a UUID has 36.
const maxKey = 255

// request returns the hash of a submission: of the members as sent, regardless of their order and of spaces between
// them. An empty body equals {}.
func request(members map[string]json.RawMessage) []byte {
	var text []byte
	if len(members) > 0 {
		var err error
		if text, err = json.Marshal(members); err != nil {
			panic(err) // decoded JSON always encodes
		}
	}
	hash := sha256.Sum256(text)
	return hash[:]
}

var errKey = errors.New(`the Idempotency-Key must be one header of 1 to 255 visible ASCII characters, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"`)

// idempotencyKey reads the request's Idempotency-Key, with which a client repeats a POST whose answer it lost. See
// draft-ietf-httpapi-idempotency-key-header-07: the value is a structured-field string in double quotes. A bare value,
// which most clients send, means the same. The draft's 409, for a request whose first is still in progress, does not
// occur: the second waits some milliseconds for the first's transaction, and gets its answer. Without a header, the Key
// is zero.
func idempotencyKey(h http.Header, members map[string]json.RawMessage) (task.Key, error) {
	values := h.Values("Idempotency-Key")
	if len(values) == 0 {
		return task.Key{}, nil
	}
	if len(values) > 1 {
		return task.Key{}, errKey
	}
	name := values[0]
	if n := len(name); n >= 2 && name[0] == '"' && name[n-1] == '"' {
		name = name[1 : n-1]
	}
	if name == "" || len(name) > maxKey {
		return task.Key{}, errKey
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return task.Key{}, errKey
		}
	}
	return task.Key{Name: name, Request: request(members)}, nil
}
