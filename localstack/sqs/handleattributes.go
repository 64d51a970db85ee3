package sqs

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

type getAttributesRequest struct {
	QueueUrl       string
	AttributeNames []string `query:"AttributeName"`
}

type attributesResponse struct {
	Attributes map[string]string `json:",omitempty" query:"Attribute,Name,Value"`
}

func (c call) getQueueAttributes(in getAttributesRequest) (out attributesResponse, err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	out.Attributes, err = q.attributes(in.AttributeNames)
	return out, err
}

// attributes are the queue's attributes with these names, or all of them for All.
func (q *Queue) attributes(names []string) (map[string]string, error) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	q.advance(time.Now())
	counts := q.counts()
	all := q.config.attributes()
	all["QueueArn"] = q.arn
	all["ApproximateNumberOfMessages"] = strconv.Itoa(counts.Visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(counts.InFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(counts.Delayed)
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	if slices.Contains(names, "All") {
		return all, nil
	}
	chosen := map[string]string{}
	for _, name := range names {
		if _, settable := findAttribute(name); !settable && !slices.Contains(countedAttributes, name) {
			return nil, unknownAttribute(name)
		}
		if value, ok := all[name]; ok {
			chosen[name] = value
		}
	}
	return chosen, nil
}

func unknownAttribute(name string) error {
	return &Error{Code: codeAttributeName, Message: fmt.Sprintf("Unknown Attribute %s.", name)}
}

type setAttributesRequest struct {
	QueueUrl   string
	Attributes map[string]string `query:"Attribute,Name,Value"`
}

func (c call) setQueueAttributes(in setAttributesRequest) (none, error) {
	return c.changeQueue(in.QueueUrl, func(q *Queue, config *settings) error {
		if len(in.Attributes) == 0 {
			return missing("Attribute.Name")
		}
		if err := config.apply(in.Attributes); err != nil {
			return err
		}
		return c.checkRedrive(q.arn, *config, in.Attributes)
	})
}
