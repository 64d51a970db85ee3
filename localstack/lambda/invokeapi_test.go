package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// client is the real AWS client of a rig's Invoke API.
func client(t testing.TB, r *rig) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(r.Handler())
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

func TestTheRealClientInvokes(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f"}})
	c := client(t, r)
	out, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), LogType: types.LogTypeTail,
		Payload: encode(t, deed{Do: "tell"}), ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`)))})
	if err != nil {
		t.Fatal(err)
	}
	if out.StatusCode != 200 || aws.ToString(out.ExecutedVersion) != "$LATEST" || out.FunctionError != nil ||
		!bytes.Contains(out.Payload, []byte(`"client":{"k":"v"}`)) {
		t.Errorf("got %d %q %q %s", out.StatusCode, aws.ToString(out.ExecutedVersion), aws.ToString(out.FunctionError), out.Payload)
	}
	if log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult)); err != nil || !bytes.HasPrefix(log, []byte("START RequestId: ")) {
		t.Errorf("log %q, %v", log, err)
	}
	out, err = c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: encode(t, deed{Do: "error", Text: "no luck"})})
	if err != nil {
		t.Fatal(err)
	}
	if out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || !bytes.Contains(out.Payload, []byte("no luck")) || out.LogResult != nil {
		t.Errorf("got %d %q %s", out.StatusCode, aws.ToString(out.FunctionError), out.Payload)
	}
	out, err = c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %v %v", out, err)
	}
}

func TestFunctionNames(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "echo"}})
	c := client(t, r)
	for name, good := range map[string]bool{
		"echo": true, "echo:$LATEST": true, "function:echo": true, "000000000000:function:echo": true,
		"arn:aws:lambda:us-east-1:000000000000:function:echo":         true,
		"arn:aws:lambda:us-east-1:000000000000:function:echo:$LATEST": true,
		"arn:aws:lambda:us-east-1:000000000000:function:echo:live":    false,
		"echo:3": false, "other": false,
	} {
		_, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String(name)})
		var missing *types.ResourceNotFoundException
		if good && err != nil || !good && !errors.As(err, &missing) {
			t.Errorf("%s: %v", name, err)
		}
		if !good && missing != nil && !strings.HasPrefix(missing.ErrorMessage(), "Function not found: arn:aws:lambda:") {
			t.Errorf("%s: %s", name, missing.ErrorMessage())
		}
	}
}

func TestTheRealClientUnderstandsErrors(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "echo"}},
		built{binary("echo"), spec.Function{Name: "never", ReservedConcurrency: pointer(0)}})
	c := client(t, r)
	invoke := func(name, payload string, kind types.InvocationType) error {
		_, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String(name), Payload: []byte(payload), InvocationType: kind})
		return err
	}
	var throttled *types.TooManyRequestsException
	if err := invoke("never", "{}", ""); !errors.As(err, &throttled) || aws.ToString(throttled.RetryAfterSeconds) != "1" ||
		throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("throttled: %v %+v", err, throttled)
	}
	var content *types.InvalidRequestContentException
	if err := invoke("echo", "{", ""); !errors.As(err, &content) || !strings.Contains(content.ErrorMessage(), "Could not parse request body into json") {
		t.Errorf("no JSON: %v", err)
	}
	var large *types.RequestTooLargeException
	if err := invoke("echo", `"`+strings.Repeat("x", maxPayload)+`"`, ""); err == nil || !strings.Contains(err.Error(), "413") {
		t.Errorf("large: %v", err)
	}
	if err := invoke("echo", `"`+strings.Repeat("x", maxEvent)+`"`, types.InvocationTypeEvent); err == nil || !strings.Contains(err.Error(), "Event invocation type") {
		t.Errorf("large event: %v %v", err, large)
	}
	var parameter *types.InvalidParameterValueException
	if err := invoke("echo", "{}", "Whatever"); !errors.As(err, &parameter) {
		t.Errorf("invocation type: %v", err)
	}
}

func TestTheRealClientDescribes(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "b"}},
		built{binary("echo"), spec.Function{Name: "a", MemorySize: 512, ReservedConcurrency: pointer(7), Environment: map[string]string{"K": "V"}}})
	c := client(t, r)
	list, err := c.ListFunctions(t.Context(), &sdk.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Functions) != 2 || aws.ToString(list.Functions[0].FunctionName) != "a" || aws.ToInt32(list.Functions[0].MemorySize) != 512 ||
		aws.ToInt32(list.Functions[1].Timeout) != 3 || list.Functions[0].Environment.Variables["K"] != "V" {
		t.Errorf("list %+v", list.Functions)
	}
	one, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToInt32(one.Concurrency.ReservedConcurrentExecutions) != 7 || one.Configuration.Runtime != types.RuntimeProvidedal2023 {
		t.Errorf("one %+v", one)
	}
	configuration, err := c.GetFunctionConfiguration(t.Context(), &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("b")})
	if err != nil || aws.ToString(configuration.FunctionArn) != "arn:aws:lambda:us-east-1:000000000000:function:b" {
		t.Errorf("configuration %+v %v", configuration, err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("c")}); !errors.As(err, &missing) {
		t.Errorf("unknown: %v", err)
	}
}

func TestWhatTheAPIDoesNotHave(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{})
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/2015-03-31/functions/f/code", nil))
	body, _ := io.ReadAll(w.Body)
	if w.Code != http.StatusNotFound || !bytes.Contains(body, []byte("not emulated")) {
		t.Errorf("got %d %s", w.Code, body)
	}
}
