package sqs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// A Policy is kept and shown, and has no effect: signatures are not checked, so nobody knows who asks.

func setPolicy(c *settings, value string) error {
	var policy map[string]any
	if value != "" && (json.Unmarshal([]byte(value), &policy) != nil || policy == nil) {
		return invalidAttribute("Policy", "")
	}
	c.policy = value
	return nil
}

// sharedActions are the actions that a permission can be given for.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html.
var sharedActions = []string{
	"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
	"ListDeadLetterSourceQueues", "PurgeQueue",
}

// ownersActions are the other ones.
var ownersActions = []string{
	"AddPermission", "RemovePermission", "CreateQueue", "DeleteQueue", "ListQueues", "SetQueueAttributes", "TagQueue", "UntagQueue",
	"ListQueueTags", "StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask",
}

// maxActions is the most actions of a permission.
const maxActions = 7

type addPermissionRequest struct {
	QueueUrl, Label string
	AWSAccountIds   []string `query:"AWSAccountId"`
	Actions         []string `query:"ActionName"`
}

var permissionLabel = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (in addPermissionRequest) check() error {
	switch {
	case in.Label == "":
		return missing("Label")
	case !permissionLabel.MatchString(in.Label):
		return invalidParameter("Label", in.Label, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	case len(in.Actions) == 0:
		return missing("Actions")
	case len(in.AWSAccountIds) == 0:
		return invalidParameter("PrincipalId", "[]", "Unable to verify.")
	case len(in.Actions) > maxActions:
		return &Error{Code: codeOverLimit, Message: fmt.Sprintf("%d Actions were found, maximum allowed is %d.", len(in.Actions), maxActions)}
	}
	for _, action := range in.Actions {
		if slices.Contains(ownersActions, action) {
			return invalidParameter("ActionName", "SQS:"+action, "Only the queue owner is allowed to invoke this action.")
		}
		if !slices.Contains(sharedActions, action) {
			return invalidParameter("ActionName", "SQS:"+action, "Please refer to the appropriate WSDL for a list of valid actions.")
		}
	}
	for _, account := range in.AWSAccountIds {
		if !awsid.ValidAccount(account) {
			return invalidParameter("PrincipalId", "["+account+"]", "Unable to verify.")
		}
	}
	return nil
}

// policyDocument is a policy with as much of its form as AddPermission needs. The statements keep theirs.
type policyDocument struct {
	Version   string
	Id        string `json:",omitempty"`
	Statement []map[string]any
}

func (c call) addPermission(in addPermissionRequest) (none, error) {
	return c.changeQueue(in.QueueUrl, func(q *Queue, config *settings) error {
		if err := in.check(); err != nil {
			return err
		}
		policy, err := q.permissions()
		if err != nil {
			return err
		}
		if policy.find(in.Label) >= 0 {
			return invalidParameter("Label", in.Label, "Already exists.")
		}
		var principals, actions []string
		for _, account := range in.AWSAccountIds {
			principals = append(principals, "arn:aws:iam::"+account+":root")
		}
		for _, action := range in.Actions {
			actions = append(actions, "SQS:"+action)
		}
		policy.Statement = append(policy.Statement, map[string]any{
			"Sid": in.Label, "Effect": "Allow", "Principal": map[string]any{"AWS": oneOrAll(principals)},
			"Action": oneOrAll(actions), "Resource": q.arn,
		})
		config.policy = policy.text()
		return nil
	})
}

type removePermissionRequest struct{ QueueUrl, Label string }

func (c call) removePermission(in removePermissionRequest) (none, error) {
	return c.changeQueue(in.QueueUrl, func(q *Queue, config *settings) error {
		policy, err := q.permissions()
		if err != nil {
			return err
		}
		i := policy.find(in.Label)
		if i < 0 {
			return invalidParameter("Label", in.Label, "can't find label.")
		}
		policy.Statement = slices.Delete(policy.Statement, i, i+1)
		config.policy = ""
		if len(policy.Statement) > 0 {
			config.policy = policy.text()
		}
		return nil
	})
}

// permissions are the queue's policy, or an empty one.
func (q *Queue) permissions() (policyDocument, error) {
	policy := policyDocument{Version: "2008-10-17", Id: q.arn + "/SQSDefaultPolicy"}
	if q.config.policy == "" {
		return policy, nil
	}
	if err := json.Unmarshal([]byte(q.config.policy), &policy); err != nil {
		return policy, invalidAttribute("Policy", "Its Statement must be a list.")
	}
	return policy, nil
}

func (p policyDocument) find(label string) int {
	return slices.IndexFunc(p.Statement, func(s map[string]any) bool { return s["Sid"] == label })
}

func (p policyDocument) text() string {
	text, _ := json.Marshal(p) // it comes from JSON
	return string(text)
}

// oneOrAll is a single text as itself, as policies have it.
func oneOrAll(texts []string) any {
	if len(texts) == 1 {
		return texts[0]
	}
	return texts
}
