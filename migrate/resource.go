package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/cfn"
)

// The physical ids name the resources to CloudFormation. They never change: if the answer to an Update had another id,
// CloudFormation would delete the old resource. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html.
const (
	tasksID = "ksu-schema"
	logsID  = "ksu-log-schema"
)

// logsType is the type of the custom resource for the logs' schema. It is a separate resource, so CloudFormation calls
// it only when it changed, and an unreachable ClickHouse fails no other deployment.
const logsType = "Custom::LogMigration"

// handle reads the configuration for each request, and answers with its errors. A function that did not start would let
// CloudFormation wait for all of ServiceTimeout.
func handle(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	var r resource
	if event.RequestType != cfn.RequestDelete {
		t, err := configured()
		if err != nil {
			return r.id(event), nil, err
		}
		r.targets = t
	}
	return r.handle(ctx, event)
}

// resource answers the requests of the CloudFormation custom resources.
type resource struct{ targets }

// handle migrates up on Create and Update; the attribute Version is the schema's. Delete does nothing: deleting a stack
// must not delete the data.
func (r resource) handle(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	id, target, leave := r.id(event), r.tasks, r.leaveTasks
	if event.ResourceType == logsType {
		target, leave = r.logs, false
	}
	switch event.RequestType {
	case cfn.RequestCreate, cfn.RequestUpdate:
		switch {
		case leave:
			slog.Info(leftAlone)
			return id, nil, nil
		case target == nil:
			return id, nil, errNoLogs
		}
		version, err := target.Up(ctx)
		if err != nil {
			return id, nil, err
		}
		return id, map[string]any{"Version": version}, nil
	case cfn.RequestDelete:
		return id, nil, nil
	default:
		return id, nil, fmt.Errorf("request type %q is unknown; allowed are Create, Update, Delete", event.RequestType)
	}
}

// id is the physical id of the resource that a request is about.
func (resource) id(event cfn.Event) string {
	if event.ResourceType == logsType {
		return logsID
	}
	return tasksID
}
