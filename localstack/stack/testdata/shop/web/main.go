// Command web greets, and sends an order to the queue.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(ctx context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		if r.HTTPMethod == http.MethodPut {
			if err := send(ctx, r.PathParameters["id"]); err != nil {
				return events.APIGatewayProxyResponse{}, err
			}
		}
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: os.Getenv("GREETING")}, nil
	})
}

// send sends a message as the SDKs do.
func send(ctx context.Context, text string) error {
	body, err := json.Marshal(map[string]string{"QueueUrl": os.Getenv("QUEUE_URL"), "MessageBody": text})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = w.Body.Close() }()
	if w.StatusCode != http.StatusOK {
		return fmt.Errorf("the queue answers %s", w.Status)
	}
	return nil
}
