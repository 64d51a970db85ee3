// Command sweeper is the Lambda function behind a schedule and the dead letter queue: no task gets lost or stuck.
package main

import (
	"context"
	"time"

	"github.com/eragon-mdi/ksu/shared/app"
	"github.com/eragon-mdi/ksu/shared/sweeper"
)

func main() {
	app.Run("sweeper", func(ctx context.Context, a *app.App) (any, error) {
		tasks, queue, err := a.Open(ctx)
		if err != nil {
			return nil, err
		}
		return sweeper.New(tasks, queue, a.Log.Logger, sweeper.Config{
			Semaphore: a.Config.App.Semaphore, MaxAttempts: a.Config.Task.MaxAttempts,
			Retention: time.Duration(a.Config.Task.RetentionDays) * 24 * time.Hour,
		}).Handle, nil
	})
}
