package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/eventsource"
	"github.com/eragon-mdi/ksu/localstack/gateway"
	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/schedule"
	"github.com/eragon-mdi/ksu/localstack/sqs"
	"github.com/eragon-mdi/ksu/localstack/template"
)

// templateOptions are what a deployment would give the template: --parameter-overrides, else the configuration.
func (s *stack) templateOptions(endpoint string) template.Options {
	parameters := map[string]string{}
	for _, p := range s.template.Parameters {
		if found, ok := s.configured(p.Name); ok {
			parameters[p.Name] = found.Value
		}
	}
	maps.Copy(parameters, s.storage.parameters)
	maps.Copy(parameters, s.clickHouse.parameters)
	for name, value := range s.options.Parameters {
		parameters[name] = value
	}
	return template.Options{
		Parameters: parameters, Region: region, AccountID: accountID, StackName: stackName, Endpoint: endpoint,
	}
}

// queueOf is the template's queue in the words of the queue service.
func queueOf(q template.Queue) sqs.QueueConfig {
	c := sqs.QueueConfig{
		Name: q.Name, VisibilityTimeout: q.VisibilityTimeout, Delay: q.Delay, ReceiveWait: q.ReceiveWait,
		Retention: q.Retention, MaximumMessageSize: q.MaximumMessageSize,
	}
	if q.Redrive != nil {
		c.Redrive = &sqs.Redrive{DeadLetterARN: q.Redrive.DeadLetterARN, MaxReceiveCount: q.Redrive.MaxReceiveCount}
	}
	return c
}

// invoker calls functions by logical id, for the gateway, the mappings and the schedules.
type invoker struct{ stack *stack }

func (i invoker) Invoke(ctx context.Context, logicalID string, payload []byte, traceID string) ([]byte, string, error) {
	out, err := i.stack.functions.Invoke(ctx, i.stack.functionName(logicalID), lambda.Input{Payload: payload, TraceID: traceID})
	if err != nil {
		return nil, "", err
	}
	return out.Payload, out.FunctionError, nil
}

func (s *stack) gatewayInvoker() gateway.Invoker { return invoker{s} }

// mapping is a template's mapping over its queue, which is one of this stack's.
func (s *stack) mapping(m template.Mapping) (*eventsource.Mapping, error) {
	name := m.QueueARN[strings.LastIndex(m.QueueARN, ":")+1:]
	queue, ok := s.queues.Queue(name)
	if !ok {
		return nil, fmt.Errorf("mapping %s: the local stack has no queue %s", m.LogicalID, m.QueueARN)
	}
	return eventsource.New(eventsource.Config{
		Name: m.LogicalID, QueueARN: m.QueueARN, Region: region, Function: m.Function, BatchSize: m.BatchSize,
		BatchingWindow: m.BatchingWindow, MaximumConcurrency: m.MaximumConcurrency,
		ReportBatchItemFailures: m.ReportBatchItemFailures, Throttled: throttled,
	}, queue, invoker{s}, s.logOf("mapping")), nil
}

func throttled(err error) bool {
	var busy *lambda.TooManyRequestsError
	return errors.As(err, &busy)
}

func (s *stack) schedule(sc template.Schedule) *schedule.Schedule {
	return schedule.New(schedule.Config{
		Name: stackName + "-" + sc.LogicalID, Region: region, AccountID: accountID, Every: sc.Every,
		Function: sc.Function, Input: sc.Input,
	}, invoker{s}, s.logOf("schedule"))
}

// logOf writes what a part of the stack has to say, marked with its name.
func (s *stack) logOf(part string) func(format string, args ...any) {
	return func(format string, args ...any) { s.console.step(part, format, args...) }
}
