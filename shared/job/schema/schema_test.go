package schema_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	reference "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/eragon-mdi/ksu/shared/job/schema"
)

// everything has a member for each keyword that a Go type and its tags can say.
type everything struct {
	Text     string             `json:"text,omitempty" jsonschema:"minLength=2,maxLength=4,pattern=^[a-z]*$"`
	Enum     string             `json:"enum,omitempty" jsonschema:"enum=red,enum=green"`
	Number   float64            `json:"number,omitempty" jsonschema:"minimum=-1,maximum=10,multipleOf=0.5"`
	Open     int                `json:"open,omitempty" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=5"`
	Flag     bool               `json:"flag,omitempty" jsonschema:"title=Flag,description=A flag,default=true"`
	List     []int              `json:"list,omitempty" jsonschema:"minItems=1,maxItems=3,uniqueItems=true"`
	Pair     [2]string          `json:"pair,omitzero"`
	Map      map[string]bool    `json:"map,omitempty"`
	Numbered map[int]string     `json:"numbered,omitempty"`
	Any      any                `json:"any,omitempty"`
	Raw      json.RawMessage    `json:"raw,omitempty"`
	Bytes    []byte             `json:"bytes,omitempty"`
	Time     time.Time          `json:"time,omitzero"`
	ID       uuid.UUID          `json:"id,omitzero"`
	Inner    *inner             `json:"inner,omitempty"`
	Either   any                `json:"either,omitempty" jsonschema:"oneof_type=string;integer"`
	A        string             `json:"a,omitempty" jsonschema:"anyof_required=one"`
	B        string             `json:"b,omitempty" jsonschema:"anyof_required=two"`
	Nested   map[string][]inner `json:"nested,omitempty"`
}

type inner struct {
	Must   string `json:"must"`
	Slash  int    `json:"a/b~c,omitempty"`
	Hidden string `json:"-"`
}

func of[T any](t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Of(reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := of[everything](t)
	for text, want := range map[string]string{
		`{"a":"x"}`:                               ``,
		`{}`:                                      `: fits none of the 2 forms that are allowed`,
		`{`:                                       `: is not JSON: unexpected EOF`,
		`{"a":""} 7`:                              `: is not JSON: text follows the value`,
		`7`:                                       `: is a whole number; allowed is an object`,
		`null`:                                    `: is null; allowed is an object`,
		`{"a":"","text":"a"}`:                     `/text: has 1 characters; allowed are 2 or more`,
		`{"a":"","text":"ABCDE"}`:                 `/text: has 5 characters; allowed are 4 or fewer|/text: has another form; allowed is ^[a-z]*$`,
		`{"a":"","enum":"blue"}`:                  `/enum: is another value; allowed are "red", "green"`,
		`{"a":"","number":"1"}`:                   `/number: is a string; allowed is a number`,
		`{"a":"","number":1e2}`:                   `/number: is out of range; allowed are numbers up to 10`,
		`{"a":"","number":-1.1}`:                  `/number: is out of range; allowed are numbers from -1|/number: is no multiple of 0.5`,
		`{"a":"","number":1e999999999}`:           `/number: is a number out of range`,
		`{"a":"","open":0}`:                       `/open: is out of range; allowed are numbers above 0`,
		`{"a":"","open":1.0}`:                     ``,
		`{"a":"","open":1.5}`:                     `/open: is a number; allowed is a whole number`,
		`{"a":"","list":[]}`:                      `/list: has 0 items; allowed are 1 or more`,
		`{"a":"","list":[1,2,1.0]}`:               `/list/2: stands twice, first as item 0`,
		`{"a":"","list":[true]}`:                  `/list/0: is a boolean; allowed is a whole number`,
		`{"a":"","pair":["x"]}`:                   `/pair: has 1 items; allowed are 2 or more`,
		`{"a":"","map":{"x":1}}`:                  `/map/x: is a whole number; allowed is a boolean`,
		`{"a":"","numbered":{"1":"x"}}`:           ``,
		`{"a":"","numbered":{"x":"x"}}`:           `/numbered/x: is unknown; allowed are names like ^[0-9]+$`,
		`{"a":"","any":[{}],"raw":null}`:          ``,
		`{"a":"","time":"yesterday"}`:             `/time: is no date-time; allowed are values such as 2026-01-02T03:04:05Z`,
		`{"a":"","id":"7"}`:                       `/id: is no uuid; allowed are values such as 01890a5d-ac96-774b-bcce-b302099a8057`,
		`{"a":"","inner":{}}`:                     `/inner/must: is missing`,
		`{"a":"","inner":{"must":"","a/b~c":""}}`: `/inner/a~1b~0c: is a string; allowed is a whole number`,
		`{"a":"","inner":{"must":"","x":1}}`:      `/inner/x: is unknown; allowed are a/b~c, must`,
		`{"a":"","either":true}`:                  `/either: fits 0 of the 2 forms that are allowed, of which it must fit one`,
		`{"A":""}`:                                `/A: is unknown`,
		`{"a":"","nested":{"x":[{"must":1}]}}`:    `/nested/x/0/must: is a whole number; allowed is a string`,
	} {
		var got []string
		for _, p := range s.Check([]byte(text)) {
			got = append(got, p.Pointer+": "+p.Detail)
		}
		if all := strings.Join(got, "|"); all != want && !(want != "" && strings.HasPrefix(all, want) && text == `{"A":""}`) {
			t.Errorf("%s:\n got %s\nwant %s", text, all, want)
		}
	}
	if n := len(of[[]int](t).Check([]byte("[" + strings.Repeat(`"",`, 50) + `""]`))); n != schema.MaxProblems {
		t.Errorf("%d problems reported, want at most %d", n, schema.MaxProblems)
	}
}

type tree struct {
	Children []tree `json:"children"`
}

func TestOfRefusesWhatItCannotCheck(t *testing.T) {
	t.Parallel()
	for want, typ := range map[string]reflect.Type{
		"schema_test.tree contains itself": reflect.TypeFor[tree](),
		"unsupported type chan int":        reflect.TypeFor[struct{ C chan int }](),
		`format "ipv4" is not checked`: reflect.TypeFor[struct {
			A string `jsonschema:"format=ipv4"`
		}](),
		"error parsing regexp": reflect.TypeFor[struct {
			A string `jsonschema:"pattern=("`
		}](),
		`unknown field "if"`: reflect.TypeFor[struct {
			A string `jsonschema_extras:"if=x"`
		}](),
	} {
		if _, err := schema.Of(typ); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", typ, err, want)
		}
	}
}

// FuzzCheck holds Check to the verdict of a validator of the whole JSON Schema.
func FuzzCheck(f *testing.F) {
	s := of[everything](f)
	document, err := reference.UnmarshalJSON(strings.NewReader(string(s.JSON())))
	if err != nil {
		f.Fatal(err)
	}
	compiler := reference.NewCompiler()
	if err := compiler.AddResource("file:///everything", document); err != nil {
		f.Fatal(err)
	}
	full, err := compiler.Compile("file:///everything")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		`{"a":"x"}`, `{"b":"","text":"abc","list":[1,2,1.0]}`, `{"a":"","number":1e2}`, `{"a":"","open":1.0}`, `{"a":"","either":3}`,
		`{"a":"","numbered":{"1":"x"},"pair":["",""]}`, `{"a":"","inner":{"must":"","a/b~c":1}}`, `null`, `7`, `{"a":"","text":"äöü"}`,
		`{"a":"","nested":{"":[{"must":""}]},"map":{"":true}}`, `{"a":"","any":{"x":[null]},"enum":"red"}`,
	} {
		f.Add(seed)
	}
	huge := regexp.MustCompile(`[eE][+-]?[0-9]{4}`)
	f.Fuzz(func(t *testing.T, text string) {
		if huge.MatchString(text) {
			s.Check([]byte(text))
			return // the reference writes such a number out, digit by digit
		}
		value, err := reference.UnmarshalJSON(strings.NewReader(text))
		problems := s.Check([]byte(text))
		if err != nil {
			if problems == nil {
				t.Fatalf("%q is no JSON and is valid", text)
			}
			return
		}
		for _, p := range problems {
			if strings.Contains(p.Detail, "number out of range") || strings.Contains(p.Detail, "is no date-time") || strings.Contains(p.Detail, "is no uuid") {
				return // limits of this package: the reference takes numbers of any exponent and does not assert formats
			}
		}
		if verdict := full.Validate(value); (verdict == nil) != (problems == nil) {
			t.Errorf("%s: the reference says %v, Check %v", text, verdict, problems)
		}
	})
}
