// Package sqs is a local Amazon SQS: standard and FIFO queues with their journals on disk, an API for the event source mapping
// in the same process, and both protocols of SDKs and the aws CLI: AWS JSON 1.0 and the older query protocol.
//
// # What it keeps of SQS
//
//   - A receive hides a message for the visibility timeout, at most 12 h. A message that becomes visible again has its
//     old place in the queue:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html.
//   - A receipt handle deletes its message until the message is received again. Later it deletes nothing, but still changes
//     the visibility. A handle that SQS never gave is ReceiptHandleIsInvalid:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html.
//   - A message that was received maxReceiveCount times moves to the dead letter queue at its next receive. It keeps its
//     id, its receive count and its SentTimestamp:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html.
//   - A message move task sends messages back from a dead letter queue as new ones, at a rate if it has one:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html.
//   - FIFO queues keep the order within a group, lock a group with a message in flight, and drop duplicates for 5 minutes:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html.
//   - Standard queues deliver a noisy group behind the others:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html.
//   - SDKs verify the MD5 digests of bodies and attributes:
//     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html.
//   - The credential scope of a request names its region. An access key id of 12 digits is its account.
//   - CreateQueue and DeleteQueue work beside the template. 60 s must pass before a name is used again, and between two
//     purges.
//
// # What differs
//
//   - Signatures are not checked. Policies and encryption are kept and shown, and have no effect.
//   - The template's queues cannot be deleted. Changes of their attributes and tags last until the local stack stops.
//   - A queue URL does not tell its region. A queue of the caller's region takes precedence over the template's.
//   - A standard queue delivers a message once per visibility timeout, in the order of sending, and its counts are exact.
//     SQS promises less of each. A noisy group is known by its messages in flight, not by its processing time.
//   - Changes and purges are immediate. A move without a rate ends within its request. Moves, their list, the 60 s of
//     DeleteQueue and ReceiveRequestAttemptId do not outlive the process.
//   - FifoThroughputLimit has no effect. No request is throttled.
//
// # Durability
//
// Each change is one write(2) to the queue's journal before it is answered, without fsync. Nothing is lost when the process
// dies; the last moments may be lost when the machine does. Messages in flight are visible after a restart, since nobody
// holds them any more, and their receives stay counted.
package sqs
