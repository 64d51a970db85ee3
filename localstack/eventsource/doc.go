// Package eventsource is Lambda's event source mapping from an SQS queue to a function.
//
// # What it keeps of Lambda
//
//   - MaximumConcurrency limits concurrent invocations. The mapping receives no message before it has a slot for it, so
//     waiting messages stay in the queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
//   - Success deletes the batch. A function error, or an item that the function reports, deletes nothing: those messages
//     come back when their visibility timeout ends. (Lambda's own role does not have sqs:ChangeMessageVisibility.)
//     https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
//   - With ReportBatchItemFailures, an empty or null answer is a success, and so is an empty or null batchItemFailures.
//     The whole batch fails if the answer is not JSON, or if an item is malformed or not in the batch.
//   - A throttled invocation is retried with growing pauses until the batch's visibility ends. Its receive counts
//     towards the dead letter queue.
//   - Without MaximumConcurrency, concurrent invocations start at 5 and grow while messages wait. Throttling shrinks
//     them: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
//   - A batch is at most 6 MB, the limit of an invocation:
//     https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html.
//
// # What differs
//
//   - Without MaximumConcurrency, the growth ends at 50 (Lambda: 1,250), since each invocation is a process here.
//   - Function errors do not slow the polling down.
//   - Filters, provisioned mode and FIFO queues are not supported.
package eventsource
