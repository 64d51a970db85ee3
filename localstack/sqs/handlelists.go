package sqs

import (
	"encoding/base64"
	"strings"
)

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
	out.QueueUrls, out.NextToken, err = in.cut(urls(c.sorted(func(q *Queue) bool {
		return q.key.account == c.caller.Account && q.key.region == c.caller.Region
	}), in.QueueNamePrefix))
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
	out.QueueUrls, out.NextToken, err = in.cut(urls(c.sources(q.arn), ""))
	if out.QueueUrls == nil {
		out.QueueUrls = []string{}
	}
	return out, err
}
