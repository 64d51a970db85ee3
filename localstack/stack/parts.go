package stack

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/customresource"
	"github.com/eragon-mdi/ksu/localstack/eventsource"
	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/schedule"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// startQueues opens the queues with their saved messages.
func startQueues(p *plan, life *life) (*sqs.Service, error) {
	queues, err := sqs.New(sqs.Options{Endpoint: p.endpoint, Dir: filepath.Join(p.data, "sqs")})
	if err != nil {
		return nil, err
	}
	life.onStop(func(context.Context) error { return queues.Close() })
	for _, q := range p.stack.Queues {
		if err := queues.Create(q); err != nil {
			return nil, err
		}
	}
	return queues, nil
}

// createResources runs the custom resources, one after the other. missing are the errors of those that may fail.
func createResources(ctx context.Context, p *plan, resources *customresource.Service, term *console.Console) (missing []error, err error) {
	for _, r := range p.stack.CustomResources {
		err := term.Timed("custom resource "+r.LogicalID, func() error { return resources.Create(ctx, r, p.stack.ID) })
		if r.MayFail && err != nil && ctx.Err() == nil {
			term.Step("warning", "%s; the stack starts without it", err)
			missing = append(missing, err)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return missing, nil
}

func startMappings(p *plan, queues *sqs.Service, functions *lambda.Service, term *console.Console, life *life) error {
	for _, m := range p.stack.Mappings {
		if !m.Enabled {
			continue
		}
		queue, ok := queues.Queue(m.Queue)
		if !ok {
			return fmt.Errorf("mapping %s: there is no queue %s", m.LogicalID, m.Queue)
		}
		life.background(eventsource.New(m, queue, functions, logOf(term, "mapping")).Run)
	}
	return nil
}

func startSchedules(p *plan, functions *lambda.Service, term *console.Console, life *life) {
	for _, s := range p.stack.Schedules {
		if s.Enabled {
			life.background(schedule.New(s, functions, logOf(term, "schedule")).Run)
		}
	}
}
