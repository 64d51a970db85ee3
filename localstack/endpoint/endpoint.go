// Package endpoint is the AWS endpoint of the local stack: the single address for SDKs and the aws CLI
// (AWS_ENDPOINT_URL).
package endpoint

import (
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/customresource"
)

// lambdaPath is the prefix of Lambda's functions API.
const lambdaPath = "/2015-03-31/"

// queuePath is the path of a queue's URL.
var queuePath = regexp.MustCompile(`^/[0-9]{12}/[^/]+$`)

// Handler dispatches requests by AWS's protocols: SQS by X-Amz-Target, by the credential scope of a query request or by
// the path of a queue; Lambda by its versioned path; answers of custom resources by customresource.Path. It refuses all
// other requests with an AWS error, in XML for the query protocol.
func Handler(sqs, lambda, customResources http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := r.Header.Get("X-Amz-Target")
		switch {
		case strings.HasPrefix(target, "AmazonSQS."):
			sqs.ServeHTTP(w, r)
		case target != "":
			unknownOperation(w, target)
		case strings.HasPrefix(r.URL.Path, lambdaPath):
			lambda.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, customresource.Path):
			customResources.ServeHTTP(w, r)
		case speaksQuery(r):
			query(w, r, sqs)
		default:
			unknownOperation(w, r.Method+" "+r.URL.Path)
		}
	})
}

// speaksQuery reports whether a request is of AWS's query protocol.
// See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html.
func speaksQuery(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded" || r.URL.Query().Has("Action") || queuePath.MatchString(r.URL.Path)
}

// query passes a request without a signature to SQS, since a person may have typed it.
func query(w http.ResponseWriter, r *http.Request, sqs http.Handler) {
	service := awsid.CallerOf(r).Service
	if service == "sqs" || service == "" || queuePath.MatchString(r.URL.Path) {
		sqs.ServeHTTP(w, r)
		return
	}
	awsid.WriteXMLError(w, http.StatusNotFound, "", "UnknownOperationException", served+"the service "+service)
}

// served begins the error for all other requests.
const served = "the local stack serves SQS and Lambda's functions API, not "

func unknownOperation(w http.ResponseWriter, operation string) {
	awsid.WriteError(w, http.StatusNotFound, "UnknownOperationException", served+operation)
}
