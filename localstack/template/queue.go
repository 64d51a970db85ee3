package template

import (
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// buildQueue reads an AWS::SQS::Queue.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html.
func (r *resolution) buildQueue(res *resource, o object) {
	if o.boolean("FifoQueue", false) {
		o.add(o.lineOf("FifoQueue"), "property FifoQueue: FIFO queues are not supported by the local stack")
	}
	name, _ := r.nameOf(res)
	q := spec.Queue{
		LogicalID: res.id, Name: name, ARN: awsid.ARN("sqs", name), URL: r.queueURL(name),
		VisibilityTimeout:  o.seconds("VisibilityTimeout", 30, 0, 43200),
		Delay:              o.seconds("DelaySeconds", 0, 0, 900),
		ReceiveWait:        o.seconds("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
		Retention:          o.seconds("MessageRetentionPeriod", 345600, 60, 1209600),
		MaximumMessageSize: o.integer("MaximumMessageSize", 1<<20, 1<<10, 1<<20),
	}
	if policy, ok := o.object("RedrivePolicy", redriveEffects); ok {
		policy.require("deadLetterTargetArn")
		policy.require("maxReceiveCount")
		q.Redrive = &spec.Redrive{
			DeadLetterARN:   policy.text("deadLetterTargetArn"),
			MaxReceiveCount: policy.integer("maxReceiveCount", 1, 1, 1000),
		}
		if q.Redrive.DeadLetterARN != "" && r.queueOf(q.Redrive.DeadLetterARN) == nil {
			policy.add(policy.lineOf("deadLetterTargetArn"), "property RedrivePolicy.deadLetterTargetArn is %s; it must be a queue of this template",
				q.Redrive.DeadLetterARN)
		}
	}
	r.stack.Queues = append(r.stack.Queues, q)
}

// queueOf returns the queue with an ARN, nil if the template has none.
func (r *resolution) queueOf(arn string) *resource { return r.byARN("AWS::SQS::Queue", arn) }

// functionOf returns the function with an ARN or a name, nil if the template has none. An ARN with a version or an alias is the
// ARN of its function.
func (r *resolution) functionOf(name string) *resource {
	if parts := strings.Split(name, ":"); len(parts) == 8 {
		name = strings.Join(parts[:7], ":")
	}
	return r.byARN("AWS::Serverless::Function", name)
}

func (r *resolution) byARN(kind, arn string) *resource {
	for _, res := range r.order {
		if res.kind != kind {
			continue
		}
		name, ok := r.nameOf(res)
		if ok && (arn == awsid.ARN("sqs", name) || arn == functionARN(name) || kind == "AWS::Serverless::Function" && arn == name) {
			return res
		}
	}
	return nil
}
