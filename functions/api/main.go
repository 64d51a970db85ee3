// Command api is the Lambda function behind API Gateway: it writes tasks to the store and sends them to SQS.
package main

import (
	"context"

	"github.com/eragon-mdi/ksu/shared/app"
	"github.com/eragon-mdi/ksu/shared/httpapi"
	"github.com/eragon-mdi/ksu/shared/job/jobs"
	"github.com/eragon-mdi/ksu/shared/task"
)

func main() {
	app.Run("api", func(ctx context.Context, a *app.App) (any, error) {
		tasks, queue, err := a.Open(ctx)
		if err != nil {
			return nil, err
		}
		service := task.NewService(tasks, queue, a.Log.Logger)
		options := httpapi.Options{
			Jobs: jobs.New(a.Config), MaxAttempts: a.Config.Task.MaxAttempts, MaxTimeout: a.Config.App.LongestJob(),
		}
		return httpapi.Lambda(httpapi.New(service, options, a.Log.Logger), a.Log.Logger), nil
	})
}
