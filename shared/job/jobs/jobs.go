// Package jobs is the catalogue of the jobs that this service runs. The API and the worker both use it: the API to
// check a submission, the worker to run it.
package jobs

import (
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/http"
	"github.com/eragon-mdi/ksu/shared/job/iowork"
)

// New returns the catalogue with the settings of a configuration. A new job is one more line.
func New(cfg *config.Config) job.Catalogue {
	return job.NewCatalogue(
		iowork.New(iowork.Settings{Min: cfg.Job.MinDuration, Max: cfg.Job.MaxDuration, FailureRate: cfg.Job.FailureRate}),
		http.New(http.Settings{
			Allow: cfg.Job.HTTPAllow.Contain, MaxRunning: cfg.Job.HTTPMaxRunning, MaxRunningPerKey: cfg.Job.HTTPMaxRunningPerKey,
		}),
	)
}
