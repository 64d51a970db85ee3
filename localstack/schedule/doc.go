// Package schedule invokes functions at a rate, as an EventBridge rule does.
//
// # What it keeps of EventBridge
//
//   - rate(value unit), singular for 1 only: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html.
//     A rate begins when the rule does. A start of the local stack is no new rule, but somewhere in a period of an old
//     one; the first run comes at once, so that nobody waits for it.
//   - The event, or the target's constant Input in its place:
//     https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html.
//   - Invocations are asynchronous: a run does not wait for the one before.
//
// # What differs
//
//   - There are no cron(…) and at(…) expressions.
//   - Lambda tries a failed asynchronous invocation twice more; here the next run is the next try.
//   - At most 10 runs of a schedule go on at once.
package schedule
