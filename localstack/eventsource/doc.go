// Package eventsource is Lambda's event source mapping from an SQS queue to a function.
//
// # What it keeps of Lambda
//
//   - MaximumConcurrency bounds the invocations at once, and no message is received before there is a slot for it, so
//     that waiting messages stay in the queue:
//     https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
//   - Success deletes the batch. After a function error, or for the items that a function reports, nothing is done:
//     messages come back when their visibility timeout ends. (Lambda's own role has no sqs:ChangeMessageVisibility.)
//     https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
//   - With ReportBatchItemFailures an answer that is empty or null, or whose batchItemFailures is, is a success; one
//     that is not JSON, or names an item badly or one that is not in the batch, fails the whole batch.
//   - A throttled invocation is tried again, ever more slowly, until the batch's visibility ends. The receive it cost
//     counts towards the dead letter queue.
//   - Without MaximumConcurrency the invocations at once begin at 5 and grow while messages wait; throttling shrinks them:
//     https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
//   - A batch is at most 6 MB, the limit of an invocation:
//     https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html.
//
// # What differs
//
//   - Without MaximumConcurrency the growth ends at 50 (Lambda: 1,250), since each is a process here.
//   - Function errors do not slow the polling down.
//   - There are no filters, no provisioned mode and no FIFO queues.
package eventsource
