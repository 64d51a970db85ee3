package template

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// resolution is one Resolve: the template with values.
type resolution struct {
	*problems
	template   *Template
	options    Options
	parameters map[string]*yaml.Node
	conditions map[string]*conditionState
	// resources are those that exist: without a false Condition. order has them as in the template, the implicit API last.
	resources map[string]*resource
	order     []*resource
	absent    map[string]string // resources that do not exist, with their conditions
	stack     *spec.Stack
	notes     []note
	made      int // bytes of the texts that functions have made

	apis           []*builtAPI
	extraResponses []extraResponse
	events         []apiEvent // in the order of the template
	reached        []reached  // where the mappings in stack.Mappings come from
	retired        []string   // functions with a retired runtime, as LogicalID: runtime
}

// reached is a function that a mapping invokes, and the line that says so.
type reached struct {
	function *resource
	line     int
}

// note is something without local effect and the resources that ask for it.
type note struct {
	text      string
	resources []string
}

// resource is a resource that exists.
type resource struct {
	id, kind   string
	key, node  *yaml.Node
	properties *yaml.Node // as in the template, with Globals merged in; nil if there are none
	// name is the physical name, known once namedAs has run; naming is true while it runs.
	name          string
	named, naming bool
	dependsOn     []string // what it refers to and what DependsOn says
	effects       *resourceType
}

func (r *resource) subject() string { return "Resource " + r.id }

// Options are the values that a deployment would give.
type Options struct {
	// Parameters override the parameters' defaults, by name.
	Parameters map[string]spec.Value
	// Variables are environment variables of single functions, by logical id, and under AllFunctions of all. They take
	// precedence over the template's.
	Variables map[string]map[string]string
	// StackName is AWS::StackName and begins the names of functions and queues; "" is local.
	StackName string
	// Endpoint is the AWS endpoint that queue URLs begin with; "" is http://127.0.0.1:4566.
	Endpoint string
}

// AllFunctions is the key of the variables that all functions get. SAM's --env-vars has the same key.
const AllFunctions = "Parameters"

// Resolve gives the template's parameters values and evaluates it. The error lists everything that cannot run locally,
// each with file and line, in the order of the file.
func (t *Template) Resolve(o Options) (*spec.Stack, error) {
	o.StackName = cmp.Or(o.StackName, "local")
	o.Endpoint = cmp.Or(o.Endpoint, "http://127.0.0.1:4566")
	r := &resolution{
		problems: &problems{file: t.path}, template: t, options: o, conditions: map[string]*conditionState{},
		resources: map[string]*resource{}, absent: map[string]string{}, stack: &spec.Stack{Name: o.StackName, ID: stackID(o.StackName)},
	}
	r.parameters = t.values(o.Parameters, r.problems)
	if err := r.err(); err != nil { // what follows would only repeat it
		return nil, err
	}
	for key := range members(t.conditions) {
		r.condition(scope{r: r, subject: "Condition " + key.Value}, key, key.Value)
	}
	r.checkRules()
	if err := r.err(); err != nil {
		return nil, err
	}
	r.readResources()
	r.build()
	r.orderByDependency()
	r.checkOutputs()
	r.checkVariables()
	if err := r.err(); err != nil {
		return nil, err
	}
	r.warnRetired()
	r.stack.NotEmulated = r.notEmulated()
	return r.stack, nil
}

// note remembers that a resource asks for something without local effect.
func (r *resolution) note(text string, from *resource) {
	if text == "" || from.node == nil { // SAM's own resources are not what the template asks for
		return
	}
	for i, n := range r.notes {
		if n.text == text {
			if !slices.Contains(n.resources, from.id) {
				r.notes[i].resources = append(n.resources, from.id)
			}
			return
		}
	}
	r.notes = append(r.notes, note{text, []string{from.id}})
}

func (r *resolution) notEmulated() []string {
	lines := make([]string, 0, len(r.notes))
	for _, n := range r.notes {
		names := list(n.resources)
		if more := len(n.resources) - 3; more > 0 {
			names = fmt.Sprintf("%s and %d more", list(n.resources[:3]), more)
		}
		lines = append(lines, n.text+" ("+names+")")
	}
	return lines
}

// checkOutputs evaluates the outputs for their errors. Nobody needs their values here: they speak of a deployment.
func (r *resolution) checkOutputs() {
	for key, node := range members(r.template.outputs) {
		s := scope{r: r, subject: "Output " + key.Value, resources: true, lenient: true}
		value := member(node, "Value")
		if value == nil {
			r.add(key.Line, s.subject, "has no Value")
			continue
		}
		if on := member(node, "Condition"); on != nil {
			if holds, ok := r.condition(s, on, on.Value); !ok || !holds {
				continue
			}
		}
		s.eval(value)
	}
}

// checkVariables reports variables for functions that do not exist.
func (r *resolution) checkVariables() {
	ids := []string{AllFunctions}
	for _, f := range r.stack.Functions {
		ids = append(ids, f.LogicalID)
	}
	for _, id := range slices.Sorted(maps.Keys(r.options.Variables)) {
		if !slices.Contains(ids, id) {
			r.add(0, "Variables of "+id, "the template has no function of this logical id; known are %s", list(ids))
		}
	}
}
