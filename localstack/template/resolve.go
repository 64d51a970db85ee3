package template

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// resolution is one run of Resolve: the template with values.
type resolution struct {
	*problems
	template   *Template
	options    Options
	parameters map[string]*yaml.Node
	conditions map[string]*conditionState
	// resources are the existing ones: those without a false Condition. order has them as in the template, the implicit
	// API last.
	resources map[string]*resource
	order     []*resource
	absent    map[string]string // resources that do not exist, with their conditions
	stack     *spec.Stack
	notes     []note
	made      int // bytes of the texts that functions have made

	apis           []*builtAPI
	extraResponses []extraResponse
	httpAPIs       []builtHTTPAPI
	httpEvents     []httpEvent     // in the order of the template
	events         []apiEvent      // in the order of the template
	reached        []reached       // where the mappings in stack.Mappings come from
	retired        []string        // functions with a retired runtime, as LogicalID: runtime
	resolved       map[string]bool // dynamic references of the template
}

// reached is a function that a mapping invokes, and the line of the mapping.
type reached struct {
	function *resource
	line     int
}

// note is a setting without local effect, with the resources that use it.
type note struct {
	text      string
	resources []string
}

// resource is a resource whose condition holds.
type resource struct {
	id, kind   string
	key, node  *yaml.Node
	properties *yaml.Node // as in the template, with Globals merged in; nil if there are none
	// name is the physical name, valid after nameOf; naming is true while nameOf runs.
	name          string
	named, naming bool
	dependsOn     []string // references and DependsOn
	effects       *resourceType
	arn           string // its ARN where it is not of the common form
	// parts are the resources that SAM makes of it, for the properties that belong to them.
	parts map[part]*resource
}

func (r *resource) subject() string { return "Resource " + r.id }

// Options are the values of a deployment. The zero value takes all defaults.
type Options struct {
	// Parameters override the parameters' defaults, by name.
	Parameters map[string]spec.Value
	// Variables are environment variables of single functions, by logical id, and under AllFunctions of all. They take
	// precedence over the template's.
	Variables map[string]map[string]string
	// StackName is AWS::StackName, and the prefix of the names of functions and queues; default "local".
	StackName string
	// Endpoint is the AWS endpoint, the prefix of queue URLs; default http://127.0.0.1:4566.
	Endpoint string
}

// AllFunctions is the key of the variables for all functions, as in SAM's --env-vars.
const AllFunctions = "Parameters"

// Resolve gives the template's parameters values, evaluates the template and returns the plan. The error lists
// everything that cannot run locally, each with file and line, in the order of the file.
func (t *Template) Resolve(o Options) (*spec.Stack, error) {
	o.StackName = cmp.Or(o.StackName, "local")
	o.Endpoint = cmp.Or(o.Endpoint, "http://127.0.0.1:4566")
	r := &resolution{
		problems: &problems{file: t.path}, template: t, options: o, conditions: map[string]*conditionState{},
		resources: map[string]*resource{}, absent: map[string]string{}, resolved: map[string]bool{}, stack: &spec.Stack{Name: o.StackName, ID: stackID(o.StackName)},
	}
	r.parameters = t.values(o.Parameters, r.problems)
	if err := r.err(); err != nil { // later steps would only repeat it
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
	r.checkResolved(o.Parameters)
	r.checkUnique()
	if err := r.err(); err != nil {
		return nil, err
	}
	r.warnRetired()
	r.warnStored()
	r.stack.NotEmulated = r.notEmulated()
	return r.stack, nil
}

// note records that a resource uses a setting without local effect.
func (r *resolution) note(text string, from *resource) {
	if text == "" || from.node == nil { // the user did not write SAM's generated resources
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

// checkOutputs evaluates the outputs for their errors only: their values describe a deployment.
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

// checkVariables reports variables of unknown functions.
func (r *resolution) checkVariables() {
	ids := []string{AllFunctions}
	for _, f := range r.stack.Functions {
		ids = append(ids, f.LogicalID)
	}
	for _, id := range slices.Sorted(maps.Keys(r.options.Variables)) {
		if !slices.Contains(ids, id) {
			r.add(0, "Variables of "+id, "the template has no function with this logical id; allowed are %s", list(ids))
		}
	}
}
