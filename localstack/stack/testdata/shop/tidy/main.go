// Command tidy runs on a schedule.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event events.EventBridgeEvent) error {
		fmt.Println("tidied by", event.Resources[0])
		return nil
	})
}
