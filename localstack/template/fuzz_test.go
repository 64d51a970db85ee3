package template

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// FuzzTemplate checks that every text is a template or an error, within bounded time and length.
func FuzzTemplate(f *testing.F) {
	for _, folder := range []string{"stack", "errors"} {
		paths, err := os.ReadDir("testdata/" + folder)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path.Name(), ".yaml") {
				continue
			}
			text, err := os.ReadFile("testdata/" + folder + "/" + path.Name())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(nested(30, 10)))
	f.Add([]byte("Resources: {A: &a {Type: Custom::A, Properties: {ServiceToken: !GetAtt A.Arn, B: !Sub [\"${X}\", {X: !Ref A}]}}}"))
	f.Add([]byte("Resources: {A: {Type: AWS::SQS::Queue, Condition: C, DependsOn: [A, B]}}\nConditions: {C: !Not [!Condition C]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		parsed, err := parse("t.yaml", text)
		if err == nil {
			resolved, resolveErr := parsed.Resolve(Options{})
			if err = resolveErr; err == nil {
				if _, err := json.Marshal(resolved); err != nil {
					t.Errorf("the stack cannot be written: %v", err)
				}
			}
		}
		if err != nil && (err.Error() == "" || strings.Count(err.Error(), "\n") > 10*maxProblems) {
			t.Errorf("error %.1000q", err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
