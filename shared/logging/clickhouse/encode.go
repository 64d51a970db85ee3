package clickhouse

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// The encoding is that of slog's JSON handler, so that a line reads the same in CloudWatch and in ClickHouse.

// appendKey writes "name": after a comma if necessary.
func appendKey(buf []byte, name string) []byte {
	if n := len(buf); n > 0 && buf[n-1] != '{' {
		buf = append(buf, ',')
	}
	return append(appendString(buf, name), ':')
}

// appendAttr writes "key":value; nothing for an empty attribute or group.
func appendAttr(buf []byte, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if a.Key == "" && v.Kind() == slog.KindAny && v.Any() == nil {
		return buf
	}
	if v.Kind() != slog.KindGroup {
		return appendValue(appendKey(buf, a.Key), v)
	}
	before := len(buf)
	if a.Key != "" { // a group without a name is inlined
		buf = append(appendKey(buf, a.Key), '{')
	}
	opened := len(buf)
	for _, member := range v.Group() {
		buf = appendAttr(buf, member)
	}
	if len(buf) == opened {
		return buf[:before]
	}
	if a.Key != "" {
		buf = append(buf, '}')
	}
	return buf
}

func appendValue(buf []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendString(buf, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(buf, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(buf, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendFloat(buf, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(buf, v.Bool())
	case slog.KindDuration:
		return strconv.AppendInt(buf, int64(v.Duration()), 10)
	case slog.KindTime:
		return append(v.Time().AppendFormat(append(buf, '"'), time.RFC3339Nano), '"')
	default:
		return appendAny(buf, v.Any())
	}
}

func appendFloat(buf []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) { // JSON does not have them
		return appendString(buf, strconv.FormatFloat(f, 'g', -1, 64))
	}
	return strconv.AppendFloat(buf, f, 'g', -1, 64)
}

func appendAny(buf []byte, v any) (out []byte) {
	before := len(buf)
	defer func() {
		if p := recover(); p != nil { // a method of the value panicked; logging must not
			out = appendString(buf[:before], fmt.Sprintf("!PANIC: %v", p))
		}
	}()
	if err, ok := v.(error); ok {
		if _, own := v.(json.Marshaler); !own {
			return appendString(buf, err.Error())
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return appendString(buf, fmt.Sprintf("!ERROR: %v", err))
	}
	return append(buf, text...)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				buf = append(append(buf, s[start:i]...), `\ufffd`...)
				start = i + 1
			} else if r == '\u2028' || r == '\u2029' { // line ends to JavaScript
				buf = append(append(buf, s[start:i]...), '\\', 'u', '2', '0', '2', hexDigits[r&15])
				start = i + size
			}
			i += size
			continue
		}
		buf = append(buf, s[start:i]...)
		switch c {
		case '"', '\\':
			buf = append(buf, '\\', c)
		case '\n':
			buf = append(buf, '\\', 'n')
		case '\t':
			buf = append(buf, '\\', 't')
		case '\r':
			buf = append(buf, '\\', 'r')
		default:
			buf = append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(buf, s[start:]...), '"')
}
