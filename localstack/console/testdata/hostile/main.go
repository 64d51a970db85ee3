// Hostile is a function that writes what steers a terminal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type hostile struct{}

// Invoke writes all bytes, raw and within log lines, and fails with them.
func (hostile) Invoke(context.Context, []byte) ([]byte, error) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	_, _ = os.Stdout.Write(append(all, '\n'))
	text, err := json.Marshal(string(all) + "\u009b\u202e")
	if err != nil {
		return nil, err
	}
	line := `{"time":` + string(text) + `,"level":` + string(text) + `,"msg":` + string(text) + `,` + string(text) + `:` + string(text) + "}\n"
	_, _ = os.Stdout.WriteString(line)
	return nil, errors.New(string(all))
}

func main() { lambda.Start(hostile{}) }
