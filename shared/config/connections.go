package config

// SweeperConcurrency is how many environments of the sweeper run at once: the template's reserved concurrency. Each holds
// one connection to the database.
const SweeperConcurrency = 3

// mostWorkerConnections is enough for any number of slots: a statement takes a millisecond or two.
const mostWorkerConnections = 10

// WorkerConnections is how many connections to the database one worker environment holds at most: one for each slot's
// heartbeat, and one more, so that no ending waits for other slots' heartbeats.
func (a App) WorkerConnections() int { return min(a.JobsPerInvocation+1, mostWorkerConnections) }

// WorkerEnvironments is how many environments of the worker run at once.
func (a App) WorkerEnvironments() int {
	if a.WorkerConcurrency > 0 {
		return a.WorkerConcurrency
	}
	return a.Semaphore
}
