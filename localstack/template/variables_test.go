package template

import (
	"maps"
	"strings"
	"testing"
)

const twoFunctions = `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap, Environment: {Variables: {SHARED: template, OWN: template}}}
Resources:
  A: {Type: AWS::Serverless::Function}
  B: {Type: AWS::Serverless::Function}
`

// TestVariables checks precedence: a function's own variables, those of all functions, the template's.
func TestVariables(t *testing.T) {
	t.Parallel()
	stack, err := resolve(write(t, twoFunctions), Options{Variables: map[string]map[string]string{
		AllFunctions: {"SHARED": "all", "NEW": "all"}, "B": {"OWN": "b", "NEW": "b"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{
		{"SHARED": "all", "OWN": "template", "NEW": "all"}, {"SHARED": "all", "OWN": "b", "NEW": "b"},
	} {
		if got := stack.Functions[i].Environment; !maps.Equal(got, want) {
			t.Errorf("%s has %v, want %v", stack.Functions[i].Name, got, want)
		}
	}
}

func TestVariablesThatAreRefused(t *testing.T) {
	t.Parallel()
	_, err := resolve(write(t, twoFunctions), Options{Variables: map[string]map[string]string{
		AllFunctions: {"AWS_REGION": "eu-west-1"}, "A": {"a b": "x"}, "C": {"X": "y"},
	}})
	for _, want := range []string{
		"Resource A: Lambda refuses the environment variable AWS_REGION", "Resource B: Lambda refuses the environment variable AWS_REGION",
		"Resource A: Lambda refuses the environment variable a b",
		"Variables of C: the template has no function with this logical id; allowed are Parameters, A, B",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in: %v", want, err)
		}
	}
}

// TestWithoutCodeUri checks that the code is in the template's folder, as in SAM.
func TestWithoutCodeUri(t *testing.T) {
	t.Parallel()
	parsed, err := Parse(write(t, twoFunctions))
	if err != nil {
		t.Fatal(err)
	}
	stack, err := parsed.Resolve(Options{})
	if err != nil || stack.Functions[0].Source != parsed.dir {
		t.Errorf("got %+v, %v; want the folder %s", stack, err, parsed.dir)
	}
}

func TestProvide(t *testing.T) {
	t.Parallel()
	parsed, err := Parse(write(t, `
Metadata:
  Local:
    Provide:
      - Service: postgres
        Parameters: {Url: Url}
        Else: {Kind: file, Path: "${Data}/x.db"}
      - Service: clickhouse
        Optional: true
        Parameters: {Log: Address, Tls: Secure}
Parameters:
  Url: {Type: String, Default: ""}
  Kind: {Type: String, Default: server}
  Path: {Type: String, Default: ""}
  Log: {Type: String, Default: ""}
  Tls: {Type: String, Default: "true"}
Resources:
  Q: {Type: AWS::SQS::Queue}
`))
	if err != nil {
		t.Fatal(err)
	}
	postgres, clickhouse := parsed.Provide[0], parsed.Provide[1]
	if postgres.Service != "postgres" || postgres.Optional || postgres.Address() != "Url" || postgres.Else["Path"] != "${Data}/x.db" ||
		!strings.HasSuffix(postgres.Place, ":5") {
		t.Errorf("got %+v", postgres)
	}
	if clickhouse.Service != "clickhouse" || !clickhouse.Optional || clickhouse.Address() != "Log" || clickhouse.Parameters["Tls"] != "Secure" || clickhouse.Else != nil {
		t.Errorf("got %+v", clickhouse)
	}
}
