// Package profiling serves a function's profiles (net/http/pprof) on this machine. Lambda builds omit it (-tags nopprof).
package profiling

// Variable is the environment variable with the file descriptor of a listener. The local stack passes it to a function.
const Variable = "PPROF_FD"
