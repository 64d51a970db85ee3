package sqs_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/eragon-mdi/ksu/localstack/sqs"
)

func create(t *testing.T, c *awssqs.Client, name string, attributes map[string]string) (url string, err error) {
	t.Helper()
	out, err := c.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		return "", err
	}
	return *out.QueueUrl, nil
}

func attributesOf(t *testing.T, c *awssqs.Client, url string) map[string]string {
	t.Helper()
	out, err := c.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	must(t, err)
	return out.Attributes
}

// TestQueueLife checks that a queue of CreateQueue, its settings, tags and messages come back after a restart until it is
// deleted.
func TestQueueLife(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, dead())
	c := client(t, s)
	url, err := create(t, c, "made", map[string]string{"DelaySeconds": "0", "VisibilityTimeout": "7",
		"RedrivePolicy": `{"deadLetterTargetArn":"` + arn("dead") + `","maxReceiveCount":"3"}`})
	must(t, err)
	again, err := create(t, c, "made", map[string]string{"VisibilityTimeout": "7"})
	if err != nil || again != url {
		t.Errorf("the same queue again: %s, %v", again, err)
	}
	_, err = create(t, c, "made", map[string]string{"VisibilityTimeout": "8"})
	wantAPICode(t, err, "QueueAlreadyExists")
	_, err = c.SendMessage(t.Context(), &awssqs.SendMessageInput{QueueUrl: aws.String("made"), MessageBody: aws.String("by name")})
	must(t, err)
	_, err = c.TagQueue(t.Context(), &awssqs.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"a": "1", "b": "2", "c": ""}})
	must(t, err)
	_, err = c.UntagQueue(t.Context(), &awssqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"b"}})
	must(t, err)
	_, err = c.SetQueueAttributes(t.Context(), &awssqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{
		"KmsMasterKeyId": "alias/k", "MaximumMessageSize": "1024", "RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}})
	must(t, err)
	before := attributesOf(t, c, url)

	for _, purge := range []bool{false, true} { // a purge rewrites the journal
		s = restart(t, s, dir, dead())
		c = client(t, s)
		after := attributesOf(t, c, url)
		if !maps.Equal(before, after) || after["VisibilityTimeout"] != "7" || after["KmsMasterKeyId"] != "alias/k" || after["SqsManagedSseEnabled"] != "false" ||
			after["ApproximateNumberOfMessages"] != "1" || !strings.Contains(after["RedrivePolicy"], `"maxReceiveCount":3`) {
			t.Errorf("after the restart: %v, before: %v", after, before)
		}
		tags, err := c.ListQueueTags(t.Context(), &awssqs.ListQueueTagsInput{QueueUrl: &url})
		if err != nil || fmt.Sprint(tags.Tags) != "map[a:1 c:]" {
			t.Errorf("tags: %v, %v", tags, err)
		}
		if purge {
			_, err = c.PurgeQueue(t.Context(), &awssqs.PurgeQueueInput{QueueUrl: &url})
			must(t, err)
			_, err = c.PurgeQueue(t.Context(), &awssqs.PurgeQueueInput{QueueUrl: &url})
			wantAPICode(t, err, "AWS.SimpleQueueService.PurgeQueueInProgress")
		}
	}
	s = restart(t, s, dir, dead())
	c = client(t, s)
	if left := attributesOf(t, c, url)["ApproximateNumberOfMessages"]; left != "0" {
		t.Errorf("%s messages outlive a purge", left)
	}
	_, err = c.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: &url})
	must(t, err)
	_, err = c.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: &url})
	wantAPICode(t, err, "AWS.SimpleQueueService.NonExistentQueue")
	_, err = create(t, c, "made", nil)
	wantAPICode(t, err, "AWS.SimpleQueueService.QueueDeletedRecently")
	_, err = c.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("dead")})
	wantAPICode(t, err, "AWS.SimpleQueueService.UnsupportedOperation") // it is the template's
	c = client(t, restart(t, s, dir, dead()))
	list, err := c.ListQueues(t.Context(), &awssqs.ListQueuesInput{})
	if err != nil || len(list.QueueUrls) != 1 {
		t.Errorf("queues after the deletion: %v, %v", list.QueueUrls, err)
	}
}

// TestTemplateTakesOver checks that a template's queue has the template's attributes and the messages that were there.
func TestTemplateTakesOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	_, err := create(t, client(t, s), "work", map[string]string{"VisibilityTimeout": "7"})
	must(t, err)
	send(t, queue(t, s, "work"), "a")
	for range 2 {
		s = restart(t, s, dir, work())
		wantCounts(t, queue(t, s, "work"), 1, 0, 0)
		if got := attributesOf(t, client(t, s), url)["VisibilityTimeout"]; got != "30" {
			t.Errorf("the visibility timeout is %s", got)
		}
	}
	s = restart(t, s, dir) // the template has it no more
	if _, ok := s.Queue("work"); ok {
		t.Error("a queue outlives its template")
	}
}

func TestDeleteEndsPolls(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	c := client(t, s)
	url, err := create(t, c, "made", nil)
	must(t, err)
	ended := make(chan error, 1)
	go func() {
		for ctx := t.Context(); ; {
			if _, err := queue(t, s, "made").Receive(ctx, 1, time.Hour); err != nil {
				ended <- err
				return
			}
		}
	}()
	send(t, queue(t, s, "made"), "a") // the poll has begun when it has this
	for queue(t, s, "made").Counts().InFlight == 0 {
		receive(t, queue(t, s, "made"), 1)
	}
	q := queue(t, s, "made")
	_, err = c.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: &url})
	must(t, err)
	_, err = q.Send(t.Context(), sqs.Outgoing{Body: "b"})
	wantCode(t, err, "QueueDoesNotExist")
	wantCode(t, q.Delete("x"), "QueueDoesNotExist")
	wantCode(t, <-ended, "QueueDoesNotExist")
}

// TestRegionsAndAccounts checks that queues of one name are apart by the caller's region and account.
func TestRegionsAndAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, work())
	server := httptest.NewServer(s.Handler())
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	as := func(region, key string) *awssqs.Client {
		return awssqs.New(awssqs.Options{Region: region, BaseEndpoint: &server.URL, HTTPClient: &http.Client{Transport: transport},
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: key, SecretAccessKey: "x"}, nil
			})})
	}
	ireland, other := as("eu-west-1", "test"), as("us-east-1", "111122223333")
	_, err := ireland.GetQueueUrl(t.Context(), &awssqs.GetQueueUrlInput{QueueName: aws.String("work")})
	wantAPICode(t, err, "AWS.SimpleQueueService.NonExistentQueue")
	irish, err := create(t, ireland, "work", nil)
	must(t, err)
	foreign, err := create(t, other, "work", nil)
	must(t, err)
	if foreign != "http://127.0.0.1:4566/111122223333/work" {
		t.Errorf("url is %s", foreign)
	}
	for url, want := range map[string]string{irish: "arn:aws:sqs:eu-west-1:000000000000:work", foreign: "arn:aws:sqs:us-east-1:111122223333:work"} {
		c := ireland
		if url == foreign {
			c = as("us-east-1", "test") // another account may use it by its URL
		}
		if got := attributesOf(t, c, url)["QueueArn"]; got != want {
			t.Errorf("%s is %s, want %s", url, got, want)
		}
	}
	found, err := ireland.GetQueueUrl(t.Context(), &awssqs.GetQueueUrlInput{QueueName: aws.String("work"), QueueOwnerAWSAccountId: aws.String("000000000000")})
	if err != nil || *found.QueueUrl != irish {
		t.Errorf("found %v, %v", found, err)
	}
	list, err := other.ListQueues(t.Context(), &awssqs.ListQueuesInput{})
	if err != nil || !slices.Equal(list.QueueUrls, []string{foreign}) {
		t.Errorf("list is %v, %v", list, err)
	}
	s = restart(t, s, dir, work())
	if got := attributesOf(t, client(t, s), foreign)["QueueArn"]; got != "arn:aws:sqs:us-east-1:111122223333:work" {
		t.Errorf("after the restart it is %s", got)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	c := client(t, open(t, "", work()))
	add := func(label string, actions ...string) error {
		_, err := c.AddPermission(t.Context(), &awssqs.AddPermissionInput{QueueUrl: aws.String(url), Label: &label, AWSAccountIds: []string{"111122223333"}, Actions: actions})
		return err
	}
	remove := func(label string) error {
		_, err := c.RemovePermission(t.Context(), &awssqs.RemovePermissionInput{QueueUrl: aws.String(url), Label: &label})
		return err
	}
	must(t, add("one", "SendMessage"))
	must(t, add("two", "ReceiveMessage", "DeleteMessage"))
	wantAPICode(t, add("one", "SendMessage"), "InvalidParameterValue")
	wantAPICode(t, add("three", "Explode"), "InvalidParameterValue")
	wantAPICode(t, add("three", "DeleteQueue"), "InvalidParameterValue")
	wantAPICode(t, add("three", slices.Repeat([]string{"SendMessage"}, 8)...), "OverLimit")
	want := `{"Version":"2008-10-17","Id":"` + arn("work") + `/SQSDefaultPolicy","Statement":[` +
		`{"Action":"SQS:SendMessage","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Resource":"` + arn("work") + `","Sid":"one"},` +
		`{"Action":["SQS:ReceiveMessage","SQS:DeleteMessage"],"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Resource":"` + arn("work") + `","Sid":"two"}]}`
	if got := attributesOf(t, c, url)["Policy"]; got != want {
		t.Errorf("policy is %s\nwant %s", got, want)
	}
	must(t, remove("one"))
	wantAPICode(t, remove("one"), "InvalidParameterValue")
	must(t, remove("two"))
	if got := attributesOf(t, c, url)["Policy"]; got != "" {
		t.Errorf("policy is %s", got)
	}
}

func TestCreateQueueRefuses(t *testing.T) {
	t.Parallel()
	c := client(t, open(t, "", work(), dead()))
	for name, test := range map[string]struct {
		queue, attribute, value, code string
	}{
		"delay":                {"q", "DelaySeconds", "901", "InvalidAttributeValue"},
		"delay in words":       {"q", "DelaySeconds", "soon", "InvalidAttributeValue"},
		"visibility":           {"q", "VisibilityTimeout", "43201", "InvalidAttributeValue"},
		"retention":            {"q", "MessageRetentionPeriod", "59", "InvalidAttributeValue"},
		"size":                 {"q", "MaximumMessageSize", "1048577", "InvalidAttributeValue"},
		"policy":               {"q", "Policy", "{", "InvalidAttributeValue"},
		"KMS reuse":            {"q", "KmsDataKeyReusePeriodSeconds", "59", "InvalidAttributeValue"},
		"unknown":              {"q", "Colour", "red", "InvalidAttributeName"},
		"read only":            {"q", "QueueArn", "x", "InvalidAttributeName"},
		"no dead letter queue": {"q", "RedrivePolicy", `{"deadLetterTargetArn":"` + arn("no") + `","maxReceiveCount":1}`, "InvalidParameterValue"},
		"count":                {"q", "RedrivePolicy", `{"deadLetterTargetArn":"` + arn("dead") + `","maxReceiveCount":1001}`, "InvalidParameterValue"},
		"no count":             {"q", "RedrivePolicy", `{"deadLetterTargetArn":"` + arn("dead") + `"}`, "InvalidParameterValue"},
		"no JSON":              {"q", "RedrivePolicy", `x`, "InvalidParameterValue"},
		"allow":                {"q", "RedriveAllowPolicy", `{"redrivePermission":"byQueue"}`, "InvalidParameterValue"},
		"standard":             {"q", "ContentBasedDeduplication", "true", "InvalidAttributeName"},
		"FIFO without suffix":  {"q", "FifoQueue", "true", "InvalidParameterValue"},
		"suffix without FIFO":  {"q.fifo", "DelaySeconds", "1", "InvalidParameterValue"},
		"long name":            {strings.Repeat("q", 81), "DelaySeconds", "1", "InvalidParameterValue"},
	} {
		_, err := create(t, c, test.queue, map[string]string{test.attribute: test.value})
		if err == nil {
			t.Errorf("%s: created", name)
			continue
		}
		wantAPICode(t, err, test.code)
	}
	_, err := create(t, c, "q.fifo", map[string]string{"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"})
	wantAPICode(t, err, "InvalidAttributeValue") // without DeduplicationScope
	_, err = create(t, c, "q.fifo", map[string]string{"FifoQueue": "true", "RedrivePolicy": `{"deadLetterTargetArn":"` + arn("dead") + `","maxReceiveCount":1}`})
	wantAPICode(t, err, "InvalidParameterValue") // of another type
	_, err = c.SetQueueAttributes(t.Context(), &awssqs.SetQueueAttributesInput{QueueUrl: aws.String("dead"), Attributes: map[string]string{
		"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` + arn("friend") + `"]}`}})
	must(t, err)
	policy := map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn("dead") + `","maxReceiveCount":1}`}
	_, err = create(t, c, "stranger", policy)
	wantAPICode(t, err, "InvalidParameterValue")
	_, err = create(t, c, "friend", policy)
	must(t, err)
}

func TestMoveWithRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := withDeadLetters()
		config.VisibilityTimeout = 0
		s := open(t, "", config, dead())
		send(t, queue(t, s, "work"), "a", "b", "c", "d")
		for range 3 {
			receive(t, queue(t, s, "work"), 10)
		}
		handle, err := s.MoveMessages(arn("dead"), "", 2)
		must(t, err)
		_, err = s.MoveMessages(arn("dead"), "", 0)
		wantCode(t, err, "InvalidParameterValue") // one at a time
		<-time.After(1100 * time.Millisecond)
		wantCounts(t, queue(t, s, "work"), 3, 0, 0)
		moved, err := s.CancelMove(handle)
		if err != nil || moved != 3 {
			t.Errorf("moved %d, %v", moved, err)
		}
		<-time.After(time.Minute)
		wantCounts(t, queue(t, s, "dead"), 1, 0, 0)
		_, err = s.CancelMove(handle)
		wantCode(t, err, "InvalidParameterValue")
		_, err = s.MoveMessages(arn("dead"), arn("work"), 500)
		must(t, err)
		wantCounts(t, queue(t, s, "work"), 4, 0, 0)
	})
}
