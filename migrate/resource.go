package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/cfn"

	"ksu/migrate/schema"
)

// physicalID names the resource to CloudFormation. It never changes: another id in the answer to an Update would make
// CloudFormation delete the resource that it takes for replaced. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html.
const physicalID = "ksu-schema"

// resource answers the requests of a CloudFormation custom resource.
type resource struct {
	// url is the database; required.
	url string
}

// handle migrates up on Create and Update; the attribute Version is the schema's. Delete does nothing: deleting a stack
// must not delete the data.
func (r resource) handle(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	switch event.RequestType {
	case cfn.RequestCreate, cfn.RequestUpdate:
		version, err := schema.Up(ctx, r.url)
		if err != nil {
			return physicalID, nil, err
		}
		return physicalID, map[string]any{"Version": version}, nil
	case cfn.RequestDelete:
		return physicalID, nil, nil
	default:
		return physicalID, nil, fmt.Errorf("request type %q is unknown; allowed are Create, Update, Delete", event.RequestType)
	}
}
