package listen

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestHosts checks that a web page cannot reach a port by a name of its own that resolves to this machine.
func TestHosts(t *testing.T) {
	t.Parallel()
	for _, shape := range []Shape{REST, AWS, Text} {
		b := setup(t, Options{Shape: shape, AllowHosts: []string{"Dev.example.com", "::2"}}, ok)
		for host, want := range map[string]int{
			"localhost": 202, "localhost:8080": 202, "LOCALHOST.": 202, "api.localhost:1": 202,
			"127.0.0.1": 202, "127.0.0.1:4566": 202, "127.9.9.9": 202, "[::1]": 202, "[::1]:8080": 202,
			"host.docker.internal:4566": 202, "dev.example.com": 202, "DEV.example.com:80": 202, "[::2]:1": 202,
			"evil.example": 403, "evil.example:4566": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403,
			"notlocalhost": 403, "10.0.0.1": 403, "0.0.0.0": 403, "[::]": 403, "2130706433": 403, "sub.dev.example.com": 403,
		} {
			got := b.raw("GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n", false)
			if got.StatusCode != want || want == 403 && !strings.Contains(got.body, "--allow-host") {
				t.Errorf("shape %d, Host %s: %d %s; want %d", shape, host, got.StatusCode, got.body, want)
			}
		}
		if got := b.raw("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", false); got.StatusCode != 403 {
			t.Errorf("shape %d: a target of another host is answered %d", shape, got.StatusCode)
		}
		if got := b.raw("OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n", false); got.StatusCode != 403 {
			t.Errorf("shape %d: OPTIONS * is answered %d", shape, got.StatusCode)
		}
		if got := b.raw("GET / HTTP/1.0\r\n\r\n", false); got.StatusCode != 202 {
			t.Errorf("shape %d: HTTP/1.0 without Host is answered %d", shape, got.StatusCode)
		}
	}
}

// TestOrigins checks that a page of another host cannot use a port through this machine's browser.
func TestOrigins(t *testing.T) {
	t.Parallel()
	for _, shape := range []Shape{REST, AWS, Text} {
		b := setup(t, Options{Shape: shape, AllowHosts: []string{"dev.example.com"}}, ok)
		for header, want := range map[string]int{
			"X-None: 1": 202, "Origin: http://localhost:3000": 202, "Origin: " + b.port.URL(): 202, "Origin: http://[::1]": 202,
			"Origin: https://dev.example.com": 202, "Sec-Fetch-Site: same-origin": 202, "Sec-Fetch-Site: none": 202,
			"Origin: http://localhost:3000\r\nSec-Fetch-Site: cross-site": 202,
			"Origin: http://evil.example":                                 403, "Origin: http://127.0.0.1.evil.example": 403,
			"Origin: http://localhost@evil.example": 403, "Origin: http://10.0.0.1": 403, "Origin: null": 403, "Origin: %": 403,
			"Origin: http://localhost\r\nOrigin: http://evil.example": 403,
		} {
			got := b.raw(fmt.Sprintf("POST /item HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Length: 2\r\n\r\n{}", header), false)
			if got.StatusCode != want {
				t.Errorf("shape %d, %s: %d %s; want %d", shape, header, got.StatusCode, got.body, want)
			}
		}
		want := 202 // a link to the REST API or to a profile
		if shape == AWS {
			want = 403 // an image that deletes a queue
		}
		if got := b.raw("GET /?Action=DeleteQueue HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n", false); got.StatusCode != want {
			t.Errorf("shape %d: another site's GET is answered %d; want %d", shape, got.StatusCode, want)
		}
	}
}

// TestShapes checks that each port refuses in the form that its clients read.
func TestShapes(t *testing.T) {
	t.Parallel()
	const get, query = "GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n", "POST / HTTP/1.1\r\nHost: evil.example\r\n" +
		"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: 17\r\n\r\nAction=ListQueues"
	for _, test := range []struct {
		shape                            Shape
		request, contentType, kind, text string
	}{
		{REST, get, "application/json", "ForbiddenException", `{"message":"the Host header is \"evil.example\"`},
		{AWS, get, "application/json", "AccessDeniedException", `{"__type":"AccessDeniedException","message":"the Host`},
		{AWS, query, "text/xml", "", `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDeniedException</Code><Message>the Host`},
		{Text, get, "text/plain; charset=utf-8", "", `the Host header is "evil.example"`},
	} {
		got := setup(t, Options{Shape: test.shape}, ok).raw(test.request, false)
		if got.Header.Get("Content-Type") != test.contentType || got.Header.Get("X-Amzn-Errortype") != test.kind || !strings.HasPrefix(got.body, test.text) {
			t.Errorf("shape %d: %v %s; want %s", test.shape, got.Header, got.body, test.text)
		}
		if test.contentType == "application/json" && !json.Valid([]byte(got.body)) {
			t.Errorf("shape %d: %s is not JSON", test.shape, got.body)
		}
	}
}

func TestCheckHost(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"dev.example.com": true, "a_b": true, "192.168.0.2": true, "::1": true, "[::1]": true,
		"": false, "http://a": false, "a:80": false, "a/b": false, "a b": false, "*": false,
	} {
		if err := CheckHost(name); (err == nil) != good {
			t.Errorf("%q: error %v; want good = %t", name, err, good)
		}
	}
}
