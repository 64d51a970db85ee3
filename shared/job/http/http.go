// Package http is the job that sends an HTTP request and keeps the answer. It reaches public addresses alone.
package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
)

// Name is the job's name in the catalogue.
const Name = "http"

// Settings are the deployment's.
type Settings struct {
	// Allow says which addresses that are not public a request may go to; nil is none.
	Allow func(netip.AddrPort) bool
	// MaxRunning and MaxRunningPerKey limit how many tasks run at once: of all keys and of each. 0 is no limit.
	MaxRunning, MaxRunningPerKey int
}

const (
	// MaxRedirects is how many redirects a request follows.
	MaxRedirects = 5
	// maxWait is the longest Retry-After that is kept to.
	maxWait = 24 * time.Hour
	// attemptTime is the payload's longest time-out and the time around the request. A slot of a worker starts no task that
	// might outlive the worker's function, so a job without a time-out would start in a fresh invocation only.
	attemptTime = 5*time.Minute + 5*time.Second
)

// New returns the job. A status that the payload expects completes the task. 408, 425, 429 and 5xx but 501 and 505
// are tried again, after the answer's Retry-After where it has one, and so is a request that got no whole answer. Any
// other status, a redirect too many and an address that is not public (ErrForbidden) are final.
//
// A repeated request carries the same Idempotency-Key, by which the server can recognize it. Errors name the method and
// the host: a path, a query and header fields may hold secrets.
func New(s Settings) *job.Job {
	c := newClient(s)
	options := []job.Option{job.MaxAttempts(5), job.Timeout(attemptTime)}
	if s.MaxRunning != 0 {
		options = append(options, job.MaxRunning(s.MaxRunning))
	}
	if s.MaxRunningPerKey != 0 {
		options = append(options, job.MaxRunningPerKey(s.MaxRunningPerKey))
	}
	return job.New(Name, c.run, options...)
}

// client sends the requests of all tasks.
type client struct {
	http  *nethttp.Client
	allow func(netip.AddrPort) bool
}

func newClient(s Settings) *client {
	c := &client{allow: s.Allow}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: c.control}
	c.http = &nethttp.Client{
		CheckRedirect: redirect,
		// No proxy, not even the environment's: the proxy would resolve and reach what the dialer refuses.
		Transport: &nethttp.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		},
	}
	return c
}

// errRedirect is a redirect that is not followed. It is final.
var errRedirect = errors.New("redirect refused")

// redirect bounds redirects and keeps secrets from other servers than the one that the caller named: outside of its
// origin a request loses all header fields but those that describe its content.
func redirect(r *nethttp.Request, via []*nethttp.Request) error {
	r.Header.Del("Referer") // has the path and the query before
	first := via[0].URL
	switch {
	case len(via) > MaxRedirects:
		return fmt.Errorf("%w: more than %d", errRedirect, MaxRedirects)
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return fmt.Errorf("%w: it leads to the scheme %.20q", errRedirect, r.URL.Scheme)
	case via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme == "http":
		return fmt.Errorf("%w: it leads from https to http", errRedirect)
	}
	for _, hop := range append(via[1:len(via):len(via)], r) {
		if hop.URL.Scheme == first.Scheme && hop.URL.Host == first.Host {
			continue
		}
		kept := nethttp.Header{}
		for _, name := range []string{"Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "User-Agent"} {
			if values := r.Header.Values(name); values != nil {
				kept[name] = values
			}
		}
		r.Header = kept
		return nil
	}
	return nil
}

// run is one attempt.
func (c *client) run(ctx context.Context, t job.Task, in Request) (Result, error) {
	began := time.Now()
	attempt, cancel := context.WithTimeout(ctx, in.timeout())
	defer cancel()
	request, err := in.request(attempt, t)
	if err != nil {
		return Result{}, err
	}
	job.Progress(ctx, 0, 0, "waiting for the answer of "+request.URL.Host)
	response, err := c.http.Do(request)
	if err != nil {
		return Result{}, failed(ctx, attempt, request, err)
	}
	defer func() { _ = response.Body.Close() }()
	if !in.expects(response.StatusCode) {
		return Result{}, unexpected(in, request, response)
	}
	result, err := read(ctx, response)
	if err != nil {
		return Result{}, failed(ctx, attempt, request, err)
	}
	result.Duration = float64(time.Since(began).Milliseconds()) / 1000
	return result, nil
}

// request is the payload as net/http has it.
func (r Request) request(ctx context.Context, t job.Task) (*nethttp.Request, error) {
	method := r.Method
	if method == "" {
		method = nethttp.MethodGet
	}
	request, err := nethttp.NewRequestWithContext(ctx, method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", bare(err))
	}
	request.Header.Set("User-Agent", "ksu")
	request.Header.Set("Idempotency-Key", t.ID.String())
	for name, value := range r.Headers {
		request.Header.Set(name, value)
	}
	return request, nil
}

// failed is why a request got no answer: final where another attempt cannot do better.
func failed(ctx, attempt context.Context, request *nethttp.Request, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // the task's end, not the request's
	}
	to := request.Method + " " + request.URL.Scheme + "://" + request.URL.Host
	switch {
	case errors.Is(err, ErrForbidden), errors.Is(err, errRedirect):
		return fmt.Errorf("%s: %w", to, bare(err))
	case attempt.Err() != nil:
		return job.Retryable(fmt.Errorf("%s: no whole answer within the time-out of the request", to), 0)
	}
	return job.Retryable(fmt.Errorf("%s: %s", to, unquoted(bare(err))), 0)
}

// unquoted is the text of an error up to its first quotation. net/http quotes what it cannot read: a Location with a
// token in its query, a malformed Set-Cookie.
func unquoted(err error) string {
	text, _, _ := strings.Cut(err.Error(), `"`)
	return strings.TrimRight(text, ": ")
}

// bare is an error without the URL that net/http puts in front.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// unexpected is the error for an answer with another status than the expected ones.
func unexpected(in Request, request *nethttp.Request, response *nethttp.Response) error {
	err := fmt.Errorf("%s %s://%s: answered %d %s; expected %s", request.Method, request.URL.Scheme, request.URL.Host,
		response.StatusCode, nethttp.StatusText(response.StatusCode), in.expected())
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that a small answer gives back its connection
	if again(response.StatusCode) {
		return job.Retryable(err, retryAfter(response.Header.Get("Retry-After"), time.Now()))
	}
	return err
}

// again says whether another attempt may be answered otherwise: by all of 5xx but what the server will never do, and by
// the three of 4xx that are about time.
func again(status int) bool {
	switch status {
	case nethttp.StatusRequestTimeout, nethttp.StatusTooEarly, nethttp.StatusTooManyRequests:
		return true
	case nethttp.StatusNotImplemented, nethttp.StatusHTTPVersionNotSupported:
		return false
	}
	return status >= 500
}

// retryAfter reads the header (RFC 9110, section 10.2.3): seconds or a date, at most maxWait; 0 where it says nothing.
func retryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := nethttp.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxWait)
}
