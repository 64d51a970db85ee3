package template

import (
	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/schedule"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// readSchedule reads an event of type Schedule.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-schedule.html.
func (r *resolution) readSchedule(function *resource, key *yaml.Node, o object) {
	o.require("Schedule")
	name, _ := r.nameOf(function)
	id := function.id + key.Value
	scheduled := spec.Schedule{
		LogicalID: id, Name: r.options.StackName + "-" + id, Function: name, Expression: o.text("Schedule"), Input: o.text("Input"),
		Enabled: o.boolean("Enabled", true) && o.oneOf("State", "ENABLED", "DISABLED") == "ENABLED",
	}
	if scheduled.Expression == "" {
		return
	}
	every, err := schedule.ParseRate(scheduled.Expression)
	if err != nil {
		o.add(o.lineOf("Schedule"), "%v", err)
	}
	scheduled.Every = every
	r.stack.Schedules = append(r.stack.Schedules, scheduled)
}
