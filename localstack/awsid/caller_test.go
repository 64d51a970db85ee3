package awsid_test

import (
	"net/http/httptest"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

func TestCallerOf(t *testing.T) {
	t.Parallel()
	home := awsid.Caller{Account: awsid.Account, Region: awsid.Region}
	for _, test := range []struct {
		name, target, authorization string
		want                        awsid.Caller
	}{
		{"unsigned", "/", "", home},
		{"signed", "/", "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=00",
			awsid.Caller{Account: awsid.Account, Region: "eu-west-1", Service: "sqs"}},
		{"account", "/", "AWS4-HMAC-SHA256 Credential=111122223333/20260101/eu-west-1/sts/aws4_request",
			awsid.Caller{Account: "111122223333", Region: "eu-west-1", Service: "sts"}},
		{"presigned", "/?X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Fsqs%2Faws4_request", "",
			awsid.Caller{Account: awsid.Account, Region: "eu-west-1", Service: "sqs"}},
		{"not a region", "/", "AWS4-HMAC-SHA256 Credential=AKID/20260101/..%2f/sqs/aws4_request",
			awsid.Caller{Account: awsid.Account, Region: awsid.Region, Service: "sqs"}},
		{"other scheme", "/", "Basic YTpi", home},
		{"short scope", "/", "AWS4-HMAC-SHA256 Credential=AKID/eu-west-1", home},
	} {
		r := httptest.NewRequest("POST", test.target, nil)
		r.Header.Set("Authorization", test.authorization)
		if got := awsid.CallerOf(r); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
