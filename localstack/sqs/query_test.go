package sqs_test

import (
	"flag"
	"fmt"
	"net/http/httptest"
	neturl "net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

var update = flag.Bool("update", false, "write the goldens")

// masked are the parts of an answer that differ from run to run.
var masked = regexp.MustCompile(`<(RequestId|MessageId|ReceiptHandle|TaskHandle)>[^<]*<`)

var receiptHandle = regexp.MustCompile(`<ReceiptHandle>([^<]*)<`)

// TestQueryGoldens sends the requests of testdata/query/*.txt, one a line: method, target, body. The file beside it has
// the answers. {handle} is the last receipt handle. -update writes the answers anew.
func TestQueryGoldens(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/query/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no requests: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			requests, err := os.ReadFile(path)
			must(t, err)
			var got string
			synctest.Test(t, func(t *testing.T) { got = answers(t, string(requests)) })
			golden := strings.TrimSuffix(path, ".txt") + ".golden"
			if *update {
				must(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			must(t, err)
			gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			for i := range max(len(gotLines), len(wantLines)) {
				if line(gotLines, i) != line(wantLines, i) {
					t.Fatalf("%s, line %d:\n got %s\nwant %s", golden, i+1, line(gotLines, i), line(wantLines, i))
				}
			}
		})
	}
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(no line)"
}

// answers sends requests to a service with a queue and its dead letter queue.
func answers(t *testing.T, requests string) string {
	s := open(t, "", withDeadLetters(), dead())
	var out strings.Builder
	handle := ""
	for request := range strings.Lines(requests) {
		request = strings.TrimSpace(request)
		if request == "" || strings.HasPrefix(request, "#") {
			continue
		}
		fields := strings.SplitN(request, " ", 3)
		body := ""
		if len(fields) == 3 {
			body = strings.ReplaceAll(fields[2], "{handle}", neturl.QueryEscape(handle))
		}
		r := httptest.NewRequestWithContext(t.Context(), fields[0], fields[1], strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if found := receiptHandle.FindStringSubmatch(w.Body.String()); found != nil {
			handle = found[1]
		}
		answer := strings.ReplaceAll(masked.ReplaceAllString(w.Body.String(), "<$1>…<"), "\n", "")
		fmt.Fprintf(&out, "%s\n%d %s\n%s\n\n", request, w.Code, w.Header().Get("Content-Type"), answer)
	}
	return out.String()
}
