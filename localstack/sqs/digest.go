package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"
)

func digest(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// MD5OfAttributes is a message's MD5OfMessageAttributes in hexadecimal: over the attributes by name, name, type, 1 for a string or 2 for binary,
// and value, each with its length in front. Without attributes it is "".
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html.
func MD5OfAttributes(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	sum := md5.New()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		writeSized(sum, []byte(name))
		writeSized(sum, []byte(a.DataType))
		if isBinary(a) {
			sum.Write([]byte{2})
			writeSized(sum, a.BinaryValue)
		} else {
			sum.Write([]byte{1})
			writeSized(sum, []byte(a.StringValue))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func isBinary(a Attribute) bool { return strings.HasPrefix(a.DataType, "Binary") }

func writeSized(h hash.Hash, value []byte) {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(value)))
	h.Write(size[:])
	h.Write(value)
}
