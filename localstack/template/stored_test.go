package template

import (
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

const storedValues = `
Transform: AWS::Serverless-2016-10-31
Parameters:
  Table: {Type: "AWS::SSM::Parameter::Value<String>", Default: /app/table}
  Zones: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: "a,b"}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      Environment: {Variables: {TABLE: !Ref Table, ZONE: !Select [1, !Ref Zones], XX: "v-{{resolve:ssm:/app/x:2}}", KEY: "{{resolve:secretsmanager:k}}"}}
`

func TestStoredValues(t *testing.T) {
	t.Parallel()
	given := map[string]spec.Value{"resolve:secretsmanager:k": {Text: "key"}}
	stack, err := resolve(write(t, storedValues), Options{Parameters: given})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"TABLE": "/app/table", "ZONE": "b", "XX": "v-/app/x", "KEY": "key"} {
		if got := stack.Functions[0].Environment[name]; got != want {
			t.Errorf("%s is %q; want %q", name, got, want)
		}
	}
	if len(stack.Warnings) != 3 || !strings.Contains(strings.Join(stack.Warnings, "\n"), `--parameter-overrides "resolve:ssm:/app/x:2=value"`) {
		t.Errorf("the warnings are %q", stack.Warnings)
	}
	given["Table"], given["Zones"], given["resolve:ssm:/app/x:2"] = spec.Value{Text: "t"}, spec.Value{Text: "c,d"}, spec.Value{Text: "x"}
	stack, err = resolve(write(t, storedValues), Options{Parameters: given})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"TABLE": "t", "ZONE": "d", "XX": "v-x"} {
		if got := stack.Functions[0].Environment[name]; got != want {
			t.Errorf("with a value, %s is %q; want %q", name, got, want)
		}
	}
	if len(stack.Warnings) != 0 {
		t.Errorf("with values, the warnings are %q", stack.Warnings)
	}
}

func TestStoredValuesThatAreRefused(t *testing.T) {
	t.Parallel()
	_, err := resolve(write(t, storedValues), Options{Parameters: map[string]spec.Value{"resolve:ssm:none": {Text: "x"}}})
	for _, want := range []string{`{{resolve:secretsmanager:k}} needs a value`, "the template has no {{resolve:ssm:none}}"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in: %v", want, err)
		}
	}
}
