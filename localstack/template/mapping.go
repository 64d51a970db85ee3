package template

import (
	"slices"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// buildMappingResource reads an AWS::Lambda::EventSourceMapping.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html.
func (r *resolution) buildMappingResource(res *resource, o object) {
	o.require("EventSourceArn")
	o.require("FunctionName")
	name := o.text("FunctionName")
	if name == "" {
		return
	}
	function := r.functionOf(name)
	if function == nil {
		o.add(o.lineOf("FunctionName"), "property FunctionName is %s; it must be a function of this template", name)
		return
	}
	r.addMapping(res.id, function, o.text("EventSourceArn"), o)
}

// addMapping reads the common members of SQS events and event source mappings.
func (r *resolution) addMapping(id string, function *resource, queue string, o object) {
	name, _ := r.nameOf(function)
	m := spec.Mapping{
		LogicalID: id, Function: name, QueueARN: queue,
		BatchSize:      o.integer("BatchSize", 10, 1, 10000),
		BatchingWindow: o.seconds("MaximumBatchingWindowInSeconds", 0, 0, 300),
		Enabled:        o.boolean("Enabled", true),
	}
	if m.BatchSize > 10 && m.BatchingWindow == 0 {
		o.add(o.lineOf("BatchSize"), "property BatchSize is %d; above 10, Lambda requires MaximumBatchingWindowInSeconds of at least 1", m.BatchSize)
	}
	if scaling, ok := o.object("ScalingConfig", scalingEffects); ok && scaling.members["MaximumConcurrency"] != nil {
		m.MaximumConcurrency = scaling.integer("MaximumConcurrency", 2, 2, 1000)
	}
	types := o.texts("FunctionResponseTypes")
	m.ReportBatchItemFailures = slices.Contains(types, "ReportBatchItemFailures")
	for _, t := range types {
		if t != "ReportBatchItemFailures" {
			o.add(o.lineOf("FunctionResponseTypes"), "property FunctionResponseTypes has %q; allowed is ReportBatchItemFailures", t)
		}
	}
	if queue != "" {
		found := r.queueOf(queue)
		if found == nil {
			o.add(o.line, "its queue is %s; it must be a queue of this template", queue)
			return
		}
		m.Queue, _ = r.nameOf(found)
	}
	r.stack.Mappings = append(r.stack.Mappings, m)
	r.reached = append(r.reached, reached{function, o.line})
}

// finishMappings checks a rule that Lambda enforces at deployment: a message must stay hidden as long as its function
// may run.
func (r *resolution) finishMappings() {
	r.checkMappings()
	for i, m := range r.stack.Mappings {
		var timeout, visibility time.Duration
		for _, f := range r.stack.Functions {
			if f.Name == m.Function {
				timeout = f.Timeout
			}
		}
		for _, q := range r.stack.Queues {
			if q.ARN == m.QueueARN {
				visibility = q.VisibilityTimeout
			}
		}
		if m.QueueARN != "" && visibility < timeout {
			r.add(r.reached[i].line, r.reached[i].function.subject(),
				"the visibility timeout of its queue is %s; Lambda requires at least the function's Timeout of %s", visibility, timeout)
		}
	}
}
