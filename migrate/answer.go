package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
)

const (
	// answerTime is the part of the function's time that the answer needs.
	answerTime = 10 * time.Second
	// longestReason, in bytes, keeps an answer with its escapes below CloudFormation's limit of 4096 bytes: the error
	// of a migration quotes its SQL. See
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html.
	longestReason = 1500
)

// answer returns a Lambda handler that sends CloudFormation the outcome of handle. It answers in time, and also if
// handle panics: CloudFormation would wait for all of ServiceTimeout. cfn.LambdaWrap checks neither the time nor the
// length of a reason, and its log line about a failure has neither level nor source.
func answer(handle cfn.CustomResourceFunction) func(context.Context, cfn.Event) error {
	return func(ctx context.Context, event cfn.Event) (err error) {
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-answerTime))
			defer cancel()
		}
		response := cfn.NewResponse(&event)
		response.PhysicalResourceID = resource{}.id(event)
		response.Status, response.Reason = cfn.StatusFailed, "the function panicked; see its log"
		defer func() {
			if sent := response.Send(); sent != nil {
				err = fmt.Errorf("answer CloudFormation: %w", sent) // Lambda then retries the invocation
			}
		}()
		id, data, failed := handle(ctx, event)
		response.PhysicalResourceID, response.Data = id, data
		if failed != nil {
			response.Reason = short(failed.Error())
			slog.ErrorContext(ctx, "custom resource failed", "resource", event.LogicalResourceID, "request", event.RequestType, "error", failed)
			return nil // the answer carries the error
		}
		response.Status, response.Reason = cfn.StatusSuccess, ""
		return nil
	}
}

// short cuts a reason to the length that an answer allows.
func short(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:longestReason], "") + " … (the function's log has the rest)"
}
