package lambda

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// newTrace makes an X-Ray trace header that is not sampled:
// Root=1-{8 hex digits: time}-{24 hex digits};Parent={16 hex digits};Sampled=0.
func newTrace(now time.Time) string {
	b := make([]byte, 0, 80)
	b = append(b, "Root=1-"...)
	b = appendHex(b, uint64(now.Unix()), 8)
	b = append(b, '-')
	b = appendHex(b, rand.Uint64(), 16)
	b = appendHex(b, rand.Uint64(), 8)
	b = append(b, ";Parent="...)
	b = appendHex(b, rand.Uint64(), 16)
	b = append(b, ";Sampled=0"...)
	return string(b)
}

// appendHex appends the last digits of n.
func appendHex(b []byte, n uint64, digits int) []byte {
	var text [17]byte
	hex := strconv.AppendUint(text[:0], n|1<<63, 16) // always 16 digits
	return append(b, hex[16-digits:]...)
}
