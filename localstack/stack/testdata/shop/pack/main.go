// Command pack packs the orders of the queue.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event events.SQSEvent) error {
		for _, r := range event.Records {
			fmt.Println("packed", r.Body, "of", r.EventSourceARN)
		}
		return nil
	})
}
