// Behave does what its event says, good or bad.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
	URL  string
	Size int
	Code int
}

func main() {
	if text := os.Getenv("SAY"); text != "" {
		fmt.Println(text)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "wait": // until a server answers
		response, err := http.Get(e.URL)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	case "error":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		fmt.Println("about to exit")
		os.Exit(e.Code)
	case "hang":
		select {}
	case "huge":
		return strings.Repeat("x", e.Size), nil
	case "text": // which is no JSON
		return strings.NewReader(e.Text), nil
	case "broken stream":
		return io.MultiReader(strings.NewReader(e.Text), failing{}), nil
	case "say":
		fmt.Print(e.Text)
		return nil, nil
	case "child": // that outlives its parent if nobody looks after it
		child := exec.Command("sleep", "300")
		child.Stdout = os.Stdout // and keeps the log open
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "tell":
		return tell(ctx), nil
	}
	return nil, fmt.Errorf("unknown deed %q", e.Do)
}

// tell tells all that a function can know.
func tell(ctx context.Context) map[string]any {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	dir, _ := os.Getwd()
	return map[string]any{
		"pid": os.Getpid(), "dir": dir, "environment": os.Environ(), "deadline": deadline.UnixMilli(),
		"request": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "client": lc.ClientContext.Custom,
		"trace": os.Getenv("_X_AMZN_TRACE_ID"),
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the source ran dry") }
