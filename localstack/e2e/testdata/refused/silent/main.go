// Command silent is a function that never asks for an invocation.
package main

import (
	"os"
	"os/signal"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals)
	<-signals
}
