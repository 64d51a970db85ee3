package lambda_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// A function is a binary that speaks the Runtime API, such as a Go program that calls lambda.Start of aws-lambda-go.
func ExampleService() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "echo")
	if out, err := exec.Command("go", "build", "-o", binary, "./testdata/echo").CombinedOutput(); err != nil {
		log.Panicf("%v\n%s", err, out)
	}

	functions, err := lambda.New(lambda.Options{Logs: func(function string, line []byte) {
		if word, _, _ := strings.Cut(string(line), " "); word != "REPORT" {
			fmt.Println(function, "│", word)
		}
	}})
	if err != nil {
		log.Panic(err)
	}
	if err := functions.Add(spec.Function{Name: "echo", Timeout: 10 * time.Second}, binary); err != nil {
		log.Panic(err)
	}
	out, err := functions.Invoke(context.Background(), "echo", spec.Input{Payload: []byte(`{"hello":"world"}`), LogTail: true})
	if err != nil {
		log.Panic(err)
	}
	if err := functions.Close(context.Background()); err != nil {
		log.Panic(err)
	}
	fmt.Printf("%s\n", out.Payload)
	// Output:
	// echo │ START
	// echo │ END
	// {"hello":"world"}
}
