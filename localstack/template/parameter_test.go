package template

import (
	"slices"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

const parameterised = `
Parameters:
  Text: {Type: String, Default: abc, MinLength: 2, MaxLength: 4, Description: some text}
  Number: {Type: Number, Default: 0.5, MinValue: 0, MaxValue: 1.5}
  Choice: {Type: String, Default: a, AllowedValues: [a, b, 3]}
  Pattern: {Type: String, Default: "", AllowedPattern: "([a-z]+[0-9]|)", ConstraintDescription: letters and a digit}
  Secret: {Type: String, Default: xyz, NoEcho: true, AllowedPattern: x.*}
  List: {Type: CommaDelimitedList, Default: "a,b", AllowedValues: [a, b]}
  Numbers: {Type: List<Number>, Default: "1, 2", MaxValue: 3}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>", Default: ""}
  Needed: {Type: String}
Resources:
  Q: {Type: AWS::SQS::Queue}
`

func TestParameters(t *testing.T) {
	t.Parallel()
	path := write(t, parameterised)
	for _, test := range []struct {
		name, value string
		want        string // part of the error; "" for none
	}{
		{"Text", "ab", ""}, {"Text", "éèàù", ""},
		{"Text", "a", `Parameter Text: "a" of settings.yaml:8 breaks MinLength 2`},
		{"Text", "abcde", `Parameter Text: "abcde" of settings.yaml:8 breaks MaxLength 4`},
		{"Number", "1.5", ""}, {"Number", "0", ""},
		{"Number", "x", `"x" of settings.yaml:8 is not a number`}, {"Number", "", `"" of settings.yaml:8 is not a number`},
		{"Number", "-0.1", `breaks MinValue 0`}, {"Number", "2", `breaks MaxValue 1.5`},
		{"Choice", "3", ""}, {"Choice", "c", `"c" of settings.yaml:8 is not allowed; allowed are a, b, 3`},
		{"Pattern", "ab1", ""}, {"Pattern", "", ""},
		{"Pattern", "ab12", `"ab12" of settings.yaml:8 does not match the pattern ([a-z]+[0-9]|): letters and a digit`},
		{"Secret", "abc", "the value, which is not shown, of settings.yaml:8 does not match the pattern x.*"},
		{"List", "b", ""}, {"List", "a,c", `"c" of settings.yaml:8 is not allowed`},
		{"Numbers", "1,2,3", ""}, {"Numbers", "1,4", `"4" of settings.yaml:8 breaks MaxValue 3`}, {"Numbers", "1,x", `"x" of settings.yaml:8 is not a number`},
		{"Subnets", "subnet-1,subnet-2", ""},
		{"Txt", "x", path + ": Parameter Txt: is not declared; did you mean Text?"},
		{"number", "1", "Parameter number: is not declared; did you mean Number?"},
		{"Patt", "", "did you mean Pattern?"}, {"Coice", "a", "did you mean Choice?"}, {"Subents", "", "did you mean Subnets?"},
		{"Other", "x", path + ": Parameter Other: is not declared; the template declares Text, Number, Choice"},
	} {
		_, err := resolve(path, Options{Parameters: map[string]spec.Value{"Needed": {Text: "x"}, test.name: {Text: test.value, Source: "settings.yaml:8"}}})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s=%s: %v", test.name, test.value, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s=%s: got error %v; want %s", test.name, test.value, err, test.want)
		}
		if test.name == "Secret" && strings.Contains(err.Error(), test.value) {
			t.Errorf("the secret is shown: %v", err)
		}
	}
}

func TestParametersAllAtOnce(t *testing.T) {
	t.Parallel()
	path := write(t, parameterised)
	_, err := resolve(path, Options{Parameters: map[string]spec.Value{"Number": {Text: "9"}, "Text": {Text: "a"}, "Nope": {}, "Nix": {}}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"Nope: is not declared", "Nix: is not declared", path + ":3: Parameter Text", path + ":4: Parameter Number",
		"Needed: has no default and needs a value"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in:\n%v", want, err)
		}
	}
}

func TestDeclaredParameters(t *testing.T) {
	t.Parallel()
	parsed, err := Parse(write(t, parameterised))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range parsed.Parameters {
		names = append(names, p.Name)
	}
	if want := []string{"Text", "Number", "Choice", "Pattern", "Secret", "List", "Numbers", "Subnets", "Needed"}; !slices.Equal(names, want) {
		t.Errorf("parameters are %v; want %v", names, want)
	}
	first, choice, secret, needed := parsed.Parameters[0], parsed.Parameters[2], parsed.Parameters[4], parsed.Parameters[8]
	if first.Type != "String" || first.Default != "abc" || !first.HasDefault || first.Description != "some text" {
		t.Errorf("Text is %+v", first)
	}
	if !slices.Equal(choice.AllowedValues, []string{"a", "b", "3"}) || !secret.NoEcho || needed.HasDefault {
		t.Errorf("got %+v, %+v, %+v", choice, secret, needed)
	}
}
