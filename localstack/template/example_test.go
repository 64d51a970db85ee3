package template_test

import (
	"fmt"
	"log"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/template"
)

// Parse checks the form of a template. Resolve gives its parameters values and returns the plan.
func ExampleParse() {
	t, err := template.Parse("testdata/example.yaml")
	if err != nil {
		log.Fatal(err)
	}
	stack, err := t.Resolve(template.Options{StackName: "shop", Parameters: map[string]spec.Value{"Workers": {Text: "3"}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range stack.Functions {
		fmt.Println(f.Name, f.Timeout, f.Environment)
	}
	for _, r := range stack.API.Routes {
		fmt.Println(r.Method, r.Path, "→", r.Function)
	}
	for _, m := range stack.Mappings {
		fmt.Println(m.QueueARN, "→", m.Function, "at most", m.MaximumConcurrency)
	}
	// Output:
	// shop-Orders 10s map[QUEUE:http://127.0.0.1:4566/000000000000/shop-Parcels]
	// POST /orders → shop-Orders
	// arn:aws:sqs:us-east-1:000000000000:shop-Parcels → shop-Orders at most 3
}
