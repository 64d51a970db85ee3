package awsid

import (
	"net/http"
	"regexp"
	"strings"
)

// Caller is the sender of a request, as the credential scope of its signature names it. Signatures are not checked.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
type Caller struct {
	// Account is the access key id if that has 12 digits, else Account.
	Account string
	// Region is the region of the scope; Region for a request without a signature.
	Region string
	// Service is the service of the scope, such as sqs; "" for a request without a signature.
	Service string
}

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// CallerOf reads the credential scope from the Authorization header, or from X-Amz-Credential of a presigned request.
func CallerOf(r *http.Request) Caller {
	c := Caller{Account: Account, Region: Region}
	_, scope, signed := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !signed {
		if r.URL.RawQuery == "" {
			return c
		}
		scope = r.URL.Query().Get("X-Amz-Credential")
	}
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(strings.TrimSpace(scope), "/") // {access key id}/{date}/{region}/{service}/aws4_request
	if len(parts) != 5 {
		return c
	}
	if accountID.MatchString(parts[0]) {
		c.Account = parts[0]
	}
	if regionName.MatchString(parts[2]) {
		c.Region = parts[2]
	}
	c.Service = parts[3]
	return c
}

// ValidAccount reports whether a text is an account id: 12 digits.
func ValidAccount(id string) bool { return accountID.MatchString(id) }
