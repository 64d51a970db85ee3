// Package profiling serves a function's profiles (net/http/pprof) on this machine. Functions built for Lambda carry the tag
// nopprof, and with it nothing of this.
package profiling

// Variable is the environment variable with the number of the file descriptor of a listener, which the local stack hands
// to a function (make run PPROF=1).
const Variable = "PPROF_FD"
