package lambda

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// TestHeadersOfInvocations checks that data which a header cannot carry does not break the environment.
func TestHeadersOfInvocations(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "tell"}})
	for name, in := range map[string]spec.Input{
		"control character": {TraceID: "Root=1-2-3\x01"},
		"line break":        {TraceID: "Root=1-2-3\r\nX-A: b"},
		"client context":    {TraceID: "Root=1-2-3", ClientContext: "{\"custom\":\n{\"k\":\"a\x7fb\"}}"},
	} {
		in.Payload = encode(t, deed{Do: "tell"})
		out, err := r.Invoke(t.Context(), "tell", in)
		if err != nil || out.FunctionError != "" {
			t.Fatalf("%s: %+v, error %v", name, out, err)
		}
		var told struct {
			Trace  string
			Client map[string]string
		}
		if err := json.Unmarshal(out.Payload, &told); err != nil {
			t.Fatal(err)
		}
		if given := name == "client context"; !strings.HasPrefix(told.Trace, "Root=1-") || (told.Trace == "Root=1-2-3") != given {
			t.Errorf("%s: trace %q", name, told.Trace)
		}
		if in.ClientContext != "" && told.Client["k"] != "a\x7fb" {
			t.Errorf("client context %q", told.Client)
		}
	}
}
