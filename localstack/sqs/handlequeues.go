package sqs

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

type none struct{}

type queueRequest struct{ QueueUrl string }

type queueURLResponse struct{ QueueUrl string }

type createQueueRequest struct {
	QueueName  string
	Attributes map[string]string `query:"Attribute,Name,Value"`
	Tags       map[string]string `json:"tags" query:"Tag,Key,Value"`
}

// createQueue answers for a queue of the template, as SQS does for one that exists with the same attributes.
func (c call) createQueue(in createQueueRequest) (queueURLResponse, error) {
	q, ok := c.Queue(in.QueueName)
	switch {
	case in.QueueName == "":
		return queueURLResponse{}, missing("QueueName")
	case len(in.Tags) > 0:
		return queueURLResponse{}, unsupported("tags")
	case !ok:
		return queueURLResponse{}, unsupported(fmt.Sprintf("creating queues: add %s to the template", in.QueueName))
	}
	for name, value := range in.Attributes {
		current, err := q.attributes([]string{name})
		if err != nil {
			return queueURLResponse{}, err
		}
		if current[name] != value {
			return queueURLResponse{}, &Error{Code: "QueueNameExists", Message: fmt.Sprintf(
				"A queue already exists with the same name and a different value for attribute %s.", name)}
		}
	}
	return queueURLResponse{q.URL()}, nil
}

type getQueueURLRequest struct{ QueueName, QueueOwnerAWSAccountId string }

func (c call) getQueueURL(in getQueueURLRequest) (queueURLResponse, error) {
	if in.QueueName == "" {
		return queueURLResponse{}, missing("QueueName")
	}
	q, ok := c.Queue(in.QueueName)
	if !ok || in.QueueOwnerAWSAccountId != "" && in.QueueOwnerAWSAccountId != awsid.Account {
		return queueURLResponse{}, noQueue()
	}
	return queueURLResponse{q.URL()}, nil
}

type page struct {
	MaxResults *int
	NextToken  string
}

// cut takes the page's part of URLs, which are in order, and the token of the next page. Without MaxResults SQS
// answers at most 1000.
func (p page) cut(urls []string) ([]string, string, error) {
	count := 1000
	if p.MaxResults != nil {
		count = *p.MaxResults
	}
	if count < 1 || count > 1000 {
		return nil, "", invalidParameter("MaxResults", count, "Must be between 1 and 1000.")
	}
	after, err := base64.URLEncoding.DecodeString(p.NextToken)
	if err != nil {
		return nil, "", invalidParameter("NextToken", p.NextToken, "It is not from an earlier answer.")
	}
	for len(urls) > 0 && urls[0] <= string(after) {
		urls = urls[1:]
	}
	if len(urls) <= count {
		return urls, "", nil
	}
	return urls[:count], base64.URLEncoding.EncodeToString([]byte(urls[count-1])), nil
}

func urls(queues []*Queue, prefix string) []string {
	var urls []string
	for _, q := range queues {
		if strings.HasPrefix(q.config.Name, prefix) {
			urls = append(urls, q.URL())
		}
	}
	return urls
}

type listQueuesRequest struct {
	page
	QueueNamePrefix string
}

type listQueuesResponse struct {
	QueueUrls []string `json:",omitempty" query:"QueueUrl"`
	NextToken string   `json:",omitempty"`
}

func (c call) listQueues(in listQueuesRequest) (out listQueuesResponse, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out.QueueUrls, out.NextToken, err = in.cut(urls(c.sorted(), in.QueueNamePrefix))
	return out, err
}

type listSourcesRequest struct {
	page
	QueueUrl string
}

type listSourcesResponse struct {
	QueueUrls []string `json:"queueUrls" query:"QueueUrl"` // in this operation SQS writes it small
	NextToken string   `json:",omitempty"`
}

func (c call) listDeadLetterSourceQueues(in listSourcesRequest) (out listSourcesResponse, err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out.QueueUrls, out.NextToken, err = in.cut(urls(c.sources(q.ARN()), ""))
	if out.QueueUrls == nil {
		out.QueueUrls = []string{}
	}
	return out, err
}

func (c call) purgeQueue(in queueRequest) (none, error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return none{}, err
	}
	return none{}, q.Purge()
}

func (c call) listQueueTags(in queueRequest) (none, error) {
	_, err := c.byURL(in.QueueUrl)
	return none{}, err
}

type startMoveRequest struct {
	SourceArn, DestinationArn    string
	MaxNumberOfMessagesPerSecond *int
}

type startMoveResponse struct{ TaskHandle string }

func (c call) startMessageMoveTask(in startMoveRequest) (startMoveResponse, error) {
	if in.SourceArn == "" {
		return startMoveResponse{}, missing("SourceArn")
	}
	if in.MaxNumberOfMessagesPerSecond != nil {
		return startMoveResponse{}, unsupported("MaxNumberOfMessagesPerSecond: messages move at once")
	}
	handle, err := c.MoveMessages(in.SourceArn, in.DestinationArn)
	return startMoveResponse{handle}, err
}

type listMovesRequest struct {
	SourceArn  string
	MaxResults *int
}

type listMovesResponse struct {
	Results []moveResult `query:"ListMessageMoveTasksResultEntry"`
}

type moveResult struct {
	TaskHandle                        string `json:",omitempty"`
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	FailureReason                     string `json:",omitempty"`
	StartedTimestamp                  int64  // epoch milliseconds
}

func (c call) listMessageMoveTasks(in listMovesRequest) (listMovesResponse, error) {
	count := 1
	if in.MaxResults != nil {
		count = *in.MaxResults
	}
	out := listMovesResponse{Results: []moveResult{}}
	if count < 1 || count > 10 {
		return out, invalidParameter("MaxResults", count, "Must be between 1 and 10.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.deadLetterQueue(in.SourceArn); err != nil {
		return out, err
	}
	for _, t := range c.lastMoves(in.SourceArn, count) {
		out.Results = append(out.Results, moveResult{ // without TaskHandle, which SQS gives of running moves only
			Status: t.status, SourceArn: t.source, DestinationArn: t.destination,
			ApproximateNumberOfMessagesMoved: t.moved, ApproximateNumberOfMessagesToMove: t.toMove,
			FailureReason: t.failure, StartedTimestamp: t.started.UnixMilli(),
		})
	}
	return out, nil
}

type cancelMoveRequest struct{ TaskHandle string }

// cancelMessageMoveTask finds no move, since each has ended.
func (c call) cancelMessageMoveTask(cancelMoveRequest) (none, error) {
	return none{}, &Error{Code: "ResourceNotFoundException", Message: "There is no running message move task with that handle."}
}
