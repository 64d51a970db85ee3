package template

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nested returns levels of aliases, each of which repeats the level before: width^levels texts.
func nested(levels, width int) string {
	var b strings.Builder
	b.WriteString("Metadata:\n  a0: &a0 [x]\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), width), ", "))
	}
	return b.String() + "Resources: {}\n"
}

// TestLimits checks that Parse refuses a small template with an endless expansion at once.
func TestLimits(t *testing.T) {
	t.Parallel()
	deep := "Resources: {}\nMetadata: " + strings.Repeat("[", 101) + strings.Repeat("]", 101)
	for name, test := range map[string]struct{ text, want string }{
		"few aliases":       {nested(4, 4), ""},
		"billion laughs":    {nested(30, 10), "the aliases make the template larger than CloudFormation's limit of 1048576 bytes; the largest is *a1"},
		"wide aliases":      {nested(2, 5000), "larger than CloudFormation's limit of 1048576 bytes"},
		"large alias":       {"Resources: {}\nMetadata: {a: &a " + strings.Repeat("x", 600_000) + ", b: *a}", "the largest is *a"},
		"alias in itself":   {"Resources: {}\nMetadata: &a\n  b: [*a]", "t.yaml:3: alias *a is inside its own anchor"},
		"nested":            {"Resources: {}\nMetadata:\n  a: " + strings.Repeat("[", 90) + strings.Repeat("]", 90), ""},
		"nested too deep":   {deep, "t.yaml:2: lists and mappings nest deeper than 100 levels"},
		"nested by aliases": {nested(200, 1), "nest deeper than 100 levels"},
		"very deep":         {"Resources: " + strings.Repeat("[", 100_000), "exceeded max depth"},
		"too large":         {"Resources: {}\n#" + strings.Repeat("x", 1<<20), "t.yaml is larger than CloudFormation's limit of 1048576 bytes"},
		"many problems":     {"Resources: {" + strings.Repeat("{}: 1,\n", 50_000) + "}", "more than 100 errors; these are the first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "t.yaml")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err := Parse(path)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %.300v; want %s", err, test.want)
			}
			if err != nil && len(err.Error()) > 20_000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// TestEndlessFile checks that Parse does not read a device for ever.
func TestEndlessFile(t *testing.T) {
	t.Parallel()
	if _, err := Parse("/dev/zero"); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("error %v", err)
	}
}

// TestTextsThatGrow checks that functions cannot turn a small template into huge texts.
func TestTextsThatGrow(t *testing.T) {
	t.Parallel()
	for name, function := range map[string]string{
		"Join":  `!Join ["", [` + strings.TrimSuffix(strings.Repeat("!Ref Long, ", 200), ", ") + `]]`,
		"Sub":   `!Sub "` + strings.Repeat("${Long}", 200) + `"`,
		"Split": `!Join ["", !Split [x, !Ref Long]]`,
	} {
		text := "Parameters: {Long: {Type: String, Default: " + strings.Repeat("x", 600_000) + "}}\nOutputs:\n  O:\n    Value: " + function + "\nResources: {}\n"
		parsed, err := parse("t.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = parsed.Resolve(Options{}); err == nil || !strings.Contains(err.Error(), "t.yaml:4: ") || !strings.Contains(err.Error(), "more than 67108864 bytes") {
			t.Errorf("%s: error %.300v", name, err)
		}
	}
}
