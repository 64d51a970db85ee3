// Command worker is the Lambda function behind the task queue's event source mapping: it runs the jobs.
package main

import (
	"context"

	"github.com/eragon-mdi/ksu/shared/app"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/job/jobs"
	"github.com/eragon-mdi/ksu/shared/runner"
)

func main() {
	app.Run("worker", func(ctx context.Context, a *app.App) (any, error) {
		a.Config.Storage.MaxConnections = a.Config.App.WorkerConnections()
		tasks, queue, err := a.Open(ctx)
		if err != nil {
			return nil, err
		}
		r := runner.New(tasks, queue, jobs.New(a.Config), a.Log.Logger, runner.Config{
			Slots: a.Config.App.JobsPerInvocation, MaxAttempts: a.Config.Task.MaxAttempts,
			ClaimTime: config.ClaimTime, EndingTime: config.EndingTime,
		})
		a.AtEnd(r.Stop)
		return r.Handle, nil
	})
}
