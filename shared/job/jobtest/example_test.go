package jobtest_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/jobtest"
)

type text struct {
	Text string `json:"text" jsonschema:"minLength=1"`
}

type count struct {
	Words int `json:"words"`
}

var words = job.New("words", func(ctx context.Context, t job.Task, in text) (count, error) {
	found := strings.Fields(in.Text)
	for i := range found {
		job.Progress(ctx, int64(i+1), int64(len(found)), "counting")
	}
	return count{len(found)}, nil
}, job.Timeout(time.Minute), job.MaxAttempts(5))

// Run runs a job as the service does, without one.
func ExampleRun() {
	result, err := jobtest.Run[count](context.Background(), words, text{"the quick brown fox"})
	fmt.Println(result.Words, err)

	_, err = jobtest.Run[count](context.Background(), words, text{})
	fmt.Println(err)
	// Output:
	// 4 <nil>
	// payload of job words: /text has 0 characters; allowed are 1 or more
}
