// Package sqs is a local Amazon SQS: standard queues with their journals on disk, an API for the event source mapping
// in the same process, and both protocols of SDKs and the aws CLI: AWS JSON 1.0 and the older query protocol.
//
// # What it keeps of SQS
//
//   - A received message is hidden for the receive's visibility timeout, at most 12 h from its receive, and comes back
//     if nobody deletes it:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html.
//   - A receipt handle belongs to one receive. Deleting with an older one succeeds and deletes nothing; one that SQS
//     never gave is ReceiptHandleIsInvalid:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html.
//   - A message that was received maxReceiveCount times moves to the dead letter queue when it would be received once
//     more. It keeps its id, its receive count and its SentTimestamp, so its retention goes on counting:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html.
//   - A message move task sends messages back from a dead letter queue as new ones, with new ids and no receives:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html.
//   - MD5 digests of bodies and attributes, which SDKs verify:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html.
//   - Errors carry the query protocol's code in x-amzn-query-error, by which older SDKs and the CLI know them:
//     https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#awsprotocols-awsquerycompatible-trait.
//
// # What differs
//
//   - A standard queue keeps a message's MessageGroupId, but does not deliver fairly by it.
//   - There are no FIFO queues, tags, permissions, or encryption. Each is refused by name.
//   - Queues come from the template: CreateQueue answers for those that there are. SetQueueAttributes lasts until the
//     stack stops.
//   - Messages are delivered exactly once a visibility timeout, roughly in the order sent, and counts are exact. SQS
//     promises less of each.
//   - Purging is immediate and may be repeated within 60 s. A move ends within its request, and has no rate.
//   - There is no limit of 120,000 messages in flight.
//   - Signatures are not checked.
//
// # Durability
//
// Each change is one write(2) to the queue's journal before it is answered, without fsync: nothing is lost when the
// process dies in any way; the last moments may be when the machine does. Messages in flight are visible after a restart,
// since nobody holds them any more, and their receives stay counted.
package sqs
