package sqs

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/google/uuid"
)

// A receipt handle is opaque to its holder. Inside it has the message's id, which receive it was, a number of the queue
// and a checksum, so that a handle which was never given is told from one that is merely old.
const handleSize = 16 + 8 + 4 + 4

// handle makes the receipt handle of a message's last receive.
func (q *Queue) handle(m *message) string {
	var raw [handleSize]byte
	id := uuid.MustParse(m.ID)
	copy(raw[:], id[:])
	binary.BigEndian.PutUint64(raw[16:], uint64(m.Receives))
	binary.BigEndian.PutUint32(raw[24:], q.number)
	binary.BigEndian.PutUint32(raw[28:], crc32.ChecksumIEEE(raw[:28]))
	return base64.StdEncoding.EncodeToString(raw[:])
}

// parseHandle reads a handle of this queue.
func (q *Queue) parseHandle(handle string) (id string, receive int, err error) {
	raw, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || len(raw) != handleSize || binary.BigEndian.Uint32(raw[28:]) != crc32.ChecksumIEEE(raw[:28]) ||
		binary.BigEndian.Uint32(raw[24:]) != q.number {
		return "", 0, badHandle(handle)
	}
	return uuid.UUID(raw[:16]).String(), int(binary.BigEndian.Uint64(raw[16:])), nil
}

// queueNumber tells the handles of one queue from those of another.
func queueNumber(arn string) uint32 { return crc32.ChecksumIEEE([]byte(arn)) }
