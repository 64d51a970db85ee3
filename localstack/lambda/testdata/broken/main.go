// Broken never asks for an invocation; MODE says how.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	switch os.Getenv("MODE") {
	case "exit":
		fmt.Println("reading configuration")
		fmt.Fprintln(os.Stderr, "TREASURE_MAP is missing")
		os.Exit(3)
	case "report":
		request, _ := http.NewRequest(http.MethodPost,
			"http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error",
			strings.NewReader(`{"errorType":"Function.NoDatabase","errorMessage":"no database"}`))
		request.Header.Set("Lambda-Runtime-Function-Error-Type", "Function.NoDatabase")
		response, err := http.DefaultClient.Do(request)
		if err != nil || response.StatusCode != http.StatusAccepted {
			panic(fmt.Sprint(response, err))
		}
		os.Exit(1)
	case "never":
		fmt.Println("thinking")
		select {}
	}
}
