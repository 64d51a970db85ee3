package sqs_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// The AWS SDK sends and receives through the handler of a Service. Without Options.Dir, messages live in memory.
func ExampleService() {
	queues, err := sqs.New(sqs.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = queues.Close() }()
	if err := queues.Create(spec.Queue{Name: "letters"}); err != nil {
		log.Panic(err)
	}
	server := httptest.NewServer(queues.Handler())
	defer server.Close()

	client := sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.AnonymousCredentials{},
	})
	ctx := context.Background()
	queue, err := client.GetQueueUrl(ctx, &sdk.GetQueueUrlInput{QueueName: aws.String("letters")})
	if err != nil {
		log.Panic(err)
	}
	if _, err := client.SendMessage(ctx, &sdk.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("hello")}); err != nil {
		log.Panic(err)
	}
	received, err := client.ReceiveMessage(ctx, &sdk.ReceiveMessageInput{QueueUrl: queue.QueueUrl})
	if err != nil {
		log.Panic(err)
	}
	for _, m := range received.Messages {
		fmt.Println(*m.Body)
	}
	// Output: hello
}
