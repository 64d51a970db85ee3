package sqs

type startMoveRequest struct {
	SourceArn, DestinationArn    string
	MaxNumberOfMessagesPerSecond *int
}

type startMoveResponse struct{ TaskHandle string }

func (c call) startMessageMoveTask(in startMoveRequest) (startMoveResponse, error) {
	if in.SourceArn == "" {
		return startMoveResponse{}, missing("SourceArn")
	}
	rate := 0
	if in.MaxNumberOfMessagesPerSecond != nil {
		if rate = *in.MaxNumberOfMessagesPerSecond; rate < 1 {
			rate = -1 // which MoveMessages refuses; 0 would be all at once
		}
	}
	handle, err := c.MoveMessages(in.SourceArn, in.DestinationArn, rate)
	return startMoveResponse{handle}, err
}

type listMovesRequest struct {
	SourceArn  string
	MaxResults *int
}

type listMovesResponse struct {
	Results []moveResult `query:"ListMessageMoveTasksResultEntry"`
}

type moveResult struct {
	TaskHandle                        string `json:",omitempty"`
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	MaxNumberOfMessagesPerSecond      int    `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	FailureReason                     string `json:",omitempty"`
	StartedTimestamp                  int64  // epoch milliseconds
}

func (c call) listMessageMoveTasks(in listMovesRequest) (listMovesResponse, error) {
	count := 1
	if in.MaxResults != nil {
		count = *in.MaxResults
	}
	out := listMovesResponse{Results: []moveResult{}}
	if count < 1 || count > 10 {
		return out, invalidParameter("MaxResults", count, "Must be between 1 and 10.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.deadLetterQueue(in.SourceArn); err != nil {
		return out, err
	}
	for _, t := range c.lastMoves(in.SourceArn, count) {
		r := moveResult{
			Status: t.status, SourceArn: t.source, DestinationArn: t.destination, MaxNumberOfMessagesPerSecond: t.perSecond,
			ApproximateNumberOfMessagesMoved: t.moved, ApproximateNumberOfMessagesToMove: t.toMove,
			FailureReason: t.failure, StartedTimestamp: t.started.UnixMilli(),
		}
		if t.status == moveRunning {
			r.TaskHandle = t.handle
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

type cancelMoveRequest struct{ TaskHandle string }

type cancelMoveResponse struct{ ApproximateNumberOfMessagesMoved int }

func (c call) cancelMessageMoveTask(in cancelMoveRequest) (cancelMoveResponse, error) {
	if in.TaskHandle == "" {
		return cancelMoveResponse{}, missing("TaskHandle")
	}
	moved, err := c.CancelMove(in.TaskHandle)
	return cancelMoveResponse{moved}, err
}
