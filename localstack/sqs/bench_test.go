package sqs_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/eragon-mdi/ksu/localstack/sqs"
)

const body = `{"task_id":"0198c0de-0000-7000-8000-000000000000"}`

func BenchmarkSend(b *testing.B) {
	q := queue(b, open(b, b.TempDir(), work()), "work")
	for b.Loop() {
		send(b, q, body)
	}
}

func BenchmarkCycle(b *testing.B) {
	for name, dir := range map[string]string{"memory": "", "journal": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			s := open(b, dir, work())
			defer s.Close()
			q := queue(b, s, "work")
			for b.Loop() {
				cycle(b, q)
			}
		})
	}
}

// BenchmarkCycleDeep has 50,000 other messages waiting.
func BenchmarkCycleDeep(b *testing.B) {
	q := queue(b, open(b, b.TempDir(), work()), "work")
	for range 50_000 {
		send(b, q, body)
	}
	for b.Loop() {
		cycle(b, q)
	}
}

func cycle(b *testing.B, q *sqs.Queue) {
	send(b, q, body)
	for _, m := range receive(b, q, 1) {
		must(b, q.Delete(m.ReceiptHandle))
	}
}

func BenchmarkHTTPSend(b *testing.B) {
	c := client(b, open(b, b.TempDir(), work()))
	b.SetParallelism(8)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			_, err := c.SendMessage(b.Context(), &awssqs.SendMessageInput{QueueUrl: aws.String(url), MessageBody: aws.String(body)})
			must(b, err)
		}
	})
}

func BenchmarkHTTPCycle(b *testing.B) {
	c := client(b, open(b, b.TempDir(), work()))
	b.SetParallelism(8)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			_, err := c.SendMessage(b.Context(), &awssqs.SendMessageInput{QueueUrl: aws.String(url), MessageBody: aws.String(body)})
			must(b, err)
			out, err := c.ReceiveMessage(b.Context(), &awssqs.ReceiveMessageInput{QueueUrl: aws.String(url)})
			must(b, err)
			for _, m := range out.Messages {
				_, err := c.DeleteMessage(b.Context(), &awssqs.DeleteMessageInput{QueueUrl: aws.String(url), ReceiptHandle: m.ReceiptHandle})
				must(b, err)
			}
		}
	})
}
