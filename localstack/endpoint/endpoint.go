// Package endpoint is the AWS endpoint of the local stack: the one address that SDKs and the aws CLI are pointed at
// (AWS_ENDPOINT_URL).
package endpoint

import (
	"net/http"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/customresource"
)

// lambdaPath begins the paths of Lambda's functions API.
const lambdaPath = "/2015-03-31/"

// Handler passes each request to its service, as AWS's own protocols tell them apart: SQS by its X-Amz-Target, Lambda by its
// versioned path, answers of custom resources by customresource.Path. It refuses all other requests with an AWS error.
func Handler(sqs, lambda, customResources http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := r.Header.Get("X-Amz-Target")
		switch {
		case strings.HasPrefix(target, "AmazonSQS."):
			sqs.ServeHTTP(w, r)
		case target == "" && strings.HasPrefix(r.URL.Path, lambdaPath):
			lambda.ServeHTTP(w, r)
		case target == "" && strings.HasPrefix(r.URL.Path, customresource.Path):
			customResources.ServeHTTP(w, r)
		default:
			unknownOperation(w, r, target)
		}
	})
}

func unknownOperation(w http.ResponseWriter, r *http.Request, target string) {
	if target == "" {
		target = r.Method + " " + r.URL.Path
	}
	awsid.WriteError(w, http.StatusNotFound, "UnknownOperationException",
		"the local stack serves SQS (JSON protocol) and Lambda's functions API, not "+target)
}
