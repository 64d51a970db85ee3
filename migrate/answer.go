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
	// answerTime is what is left of the function's time to answer, when a request takes all of it.
	answerTime = 10 * time.Second
	// longestReason keeps an answer below the 4096 bytes that CloudFormation takes, escapes included: the error of a
	// migration has its SQL. See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html.
	longestReason = 1500
)

// answer makes a Lambda handler of what handles a request: it sends CloudFormation the outcome, in time and also when handle
// panics, since CloudFormation would wait for all of ServiceTimeout. cfn.LambdaWrap looks neither at the time nor at the length
// of a reason, and its log line about a failure has neither level nor place.
func answer(handle cfn.CustomResourceFunction) func(context.Context, cfn.Event) error {
	return func(ctx context.Context, event cfn.Event) (err error) {
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-answerTime))
			defer cancel()
		}
		response := cfn.NewResponse(&event)
		response.PhysicalResourceID = resource{}.id(event)
		response.Status, response.Reason = cfn.StatusFailed, "the function panicked; its log says where"
		defer func() {
			if sent := response.Send(); sent != nil {
				err = fmt.Errorf("answer CloudFormation: %w", sent) // with which Lambda calls the function again
			}
		}()
		id, data, failed := handle(ctx, event)
		response.PhysicalResourceID, response.Data = id, data
		if failed != nil {
			response.Reason = short(failed.Error())
			slog.ErrorContext(ctx, "custom resource failed", "resource", event.LogicalResourceID, "request", event.RequestType, "error", failed)
			return nil // the answer says it
		}
		response.Status, response.Reason = cfn.StatusSuccess, ""
		return nil
	}
}

// short is a reason as an answer may have it.
func short(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:longestReason], "") + " … (the function's log has the rest)"
}
