package stack

import (
	"errors"
	"fmt"

	"github.com/eragon-mdi/ksu/localstack/build"
	"github.com/eragon-mdi/ksu/localstack/provide"
	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/template"
)

// plan is all that is known before anything starts. Its ports are taken already, so that nothing in it changes later.
type plan struct {
	stack    *spec.Stack
	services *provide.Plan
	data     string // the data folder's absolute path
	endpoint string // URL of the AWS endpoint
	template *template.Template
}

// newPlan combines template and options. The error lists everything that is wrong. The caller releases the services.
func newPlan(t *template.Template, o Options, endpoint string) (*plan, error) {
	name, nameErr := o.stackName()
	data, dataErr := o.dataFolder()
	services, err := provide.Decide(t.Provide, provide.Options{Choices: o.Provide, Given: o.Parameters, Data: data, Name: name})
	if err := errors.Join(nameErr, dataErr, err); err != nil {
		if services != nil {
			services.Release()
		}
		return nil, errors.Join(err, t.CheckParameters(o.Parameters))
	}
	resolved, err := t.Resolve(template.Options{
		Parameters: services.Parameters, Variables: o.Variables, StackName: name, Endpoint: endpoint,
	})
	if err != nil {
		services.Release()
		return nil, err
	}
	return &plan{stack: resolved, services: services, data: data, endpoint: endpoint, template: t}, nil
}

// check makes the plan of options without taking ports, and drops it.
func check(o Options) error {
	t, err := template.Parse(o.Template)
	if err != nil {
		return err
	}
	p, err := newPlan(t, o, fmt.Sprintf("http://127.0.0.1:%d", o.AWSPort))
	if err != nil {
		return err
	}
	p.services.Release()
	return nil
}

// parameter returns the value of a parameter of the template.
func (p *plan) parameter(name string) string {
	if value, ok := p.services.Parameters[name]; ok {
		return value.Text
	}
	for _, declared := range p.template.Parameters {
		if declared.Name == name {
			return declared.Default
		}
	}
	return ""
}

// builds returns the functions to build.
func (p *plan) builds() (list []build.Function) {
	for _, f := range p.stack.Functions {
		list = append(list, build.Function{
			Name: f.Name, LogicalID: f.LogicalID, Source: f.Source, BuildMethod: f.BuildMethod, Bootstrap: f.Bootstrap,
		})
	}
	return list
}
