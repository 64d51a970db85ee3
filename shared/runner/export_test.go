package runner

// Stopping ends when the process is told to end.
func (r *Runner) Stopping() <-chan struct{} { return r.stopping.Done() }
