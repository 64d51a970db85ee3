// Package schedule invokes functions at a rate, as an EventBridge rule does.
//
// # What it keeps of EventBridge
//
//   - rate(value unit), with a singular unit for 1 only: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html.
//     A new rule starts its rate at once. The local stack does so at each start, so that nobody waits for the first run.
//   - The event, or the target's constant Input in its place:
//     https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html.
//   - Invocations are asynchronous: a run does not wait for the last one.
//
// # What differs
//
//   - cron(…) and at(…) are not supported.
//   - Lambda retries a failed asynchronous invocation twice. Here, the next run is the next attempt.
//   - At most 10 runs of a schedule overlap.
package schedule
