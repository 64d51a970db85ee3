package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"unicode/utf8"

	"github.com/eragon-mdi/ksu/shared/job"
)

// MaxBody is how many bytes of an answer's body are kept.
const MaxBody = 256 << 10

// Result is the answer of the last server of the redirects.
type Result struct {
	Status  int                 `json:"status"`
	Headers map[string][]string `json:"headers"`
	// Body is the body as text, without its compression. A body that is no text (UTF-8 without NUL) is in BodyBase64.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"body_base64,omitempty"`
	// Truncated says that the body was longer than MaxBody.
	Truncated bool `json:"truncated"`
	// Size is the length of the body in bytes; of a truncated one as the server announced it, else what was kept.
	Size int64 `json:"size"`
	// Duration is how long the attempt took, in seconds.
	Duration float64 `json:"duration"`
	// URL is where the redirects ended.
	URL string `json:"url"`
}

// read reads an answer up to MaxBody.
func read(ctx context.Context, response *nethttp.Response) (Result, error) {
	r := Result{Status: response.StatusCode, Headers: response.Header, URL: response.Request.URL.String()}
	var body bytes.Buffer
	var err error
	for err == nil && body.Len() <= MaxBody {
		_, err = io.CopyN(&body, response.Body, min(16<<10, MaxBody+1-int64(body.Len())))
		job.Progress(ctx, int64(body.Len()), max(response.ContentLength, 0), "reading the answer")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return Result{}, fmt.Errorf("read the answer's body: %w", err)
	}
	kept := body.Bytes()
	r.Size = int64(len(kept))
	if len(kept) > MaxBody {
		kept, r.Truncated = whole(kept[:MaxBody]), true
		r.Size = max(response.ContentLength, MaxBody)
	}
	if utf8.Valid(kept) && !bytes.ContainsRune(kept, 0) {
		r.Body = string(kept)
	} else {
		r.BodyBase64 = body.Bytes()[:min(body.Len(), MaxBody)]
	}
	return r, nil
}

// whole cuts off the beginning of a character at the end of a text.
func whole(text []byte) []byte {
	for range utf8.UTFMax - 1 {
		if last, size := utf8.DecodeLastRune(text); last != utf8.RuneError || size != 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return text
}
