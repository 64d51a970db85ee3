// Sigterm says good-bye, unless it is STUBBORN.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.StartWithOptions(func(_ context.Context, event string) (string, error) {
		if event == "hang" {
			fmt.Println("hanging")
			select {}
		}
		return event, nil
	}, lambda.WithEnableSIGTERM(func() {
		fmt.Println("good-bye")
		if os.Getenv("STUBBORN") == "" {
			os.Exit(0)
		}
	}))
}
