package process

import _ "embed"

// watchdogScript is what the watchdog runs. It is handed over with -c, so its first line is what ps shows.
//
//go:embed watchdog.sh
var watchdogScript string
