package sqs

import (
	"fmt"
	"maps"
)

type tagRequest struct {
	QueueUrl string
	Tags     map[string]string `query:"Tag,Key,Value"`
}

// tagQueue adds tags; a tag with the same key is replaced.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html.
func (c call) tagQueue(in tagRequest) (none, error) {
	return c.changeQueue(in.QueueUrl, func(_ *Queue, config *settings) error {
		if len(in.Tags) == 0 {
			return missing("Tags")
		}
		return config.tag(in.Tags)
	})
}

type untagRequest struct {
	QueueUrl string
	TagKeys  []string `query:"TagKey"`
}

func (c call) untagQueue(in untagRequest) (none, error) {
	return c.changeQueue(in.QueueUrl, func(_ *Queue, config *settings) error {
		if len(in.TagKeys) == 0 {
			return invalidValue("Tag keys must be between 1 and 128 characters in length.")
		}
		config.tags = maps.Clone(config.tags)
		for _, key := range in.TagKeys {
			delete(config.tags, key)
		}
		return nil
	})
}

type tagsResponse struct {
	Tags map[string]string `json:",omitempty" query:"Tag,Key,Value"`
}

func (c call) listQueueTags(in queueRequest) (out tagsResponse, err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return tagsResponse{maps.Clone(q.config.tags)}, nil
}

// tag adds tags to the settings.
func (c *settings) tag(tags map[string]string) error {
	all := maps.Clone(c.tags)
	if all == nil {
		all = map[string]string{}
	}
	for key, value := range tags {
		if key == "" || len([]rune(key)) > 128 {
			return invalidValue("Tag keys must be between 1 and 128 characters in length.")
		}
		if len([]rune(value)) > 256 {
			return invalidValue("Tag values must be between 0 and 256 characters in length.")
		}
		all[key] = value
	}
	if len(all) > maxTags {
		return invalidValue("%s", fmt.Sprintf("Too many tags added for queue %s.", c.Name))
	}
	c.tags = all
	return nil
}
