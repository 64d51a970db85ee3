package awsid

import (
	"regexp"
	"strings"
)

// traceRoot is a trace id. SQS also accepts other lengths than X-Ray's 8 and 24 digits.
var traceRoot = regexp.MustCompile(`^1-[0-9A-Fa-f]{1,8}-[0-9A-Fa-f]{1,24}$`)

// tracePart is a member of a trace header, such as Sampled=1.
var tracePart = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*=[!-:<-~]*$`)

// ValidTrace reports whether a text is an X-Ray trace header: members separated by semicolons, one of them Root. See
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader.
func ValidTrace(header string) bool {
	rooted := false
	for part := range strings.SplitSeq(header, ";") {
		part = strings.Trim(part, " ")
		if !tracePart.MatchString(part) {
			return false
		}
		if root, is := strings.CutPrefix(part, "Root="); is {
			if !traceRoot.MatchString(root) {
				return false
			}
			rooted = true
		}
	}
	return rooted && len(header) <= maxTrace
}

// maxTrace is the maximum length of a trace header in bytes; X-Ray's members take some 200.
const maxTrace = 1 << 10
