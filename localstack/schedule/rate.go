package schedule

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// ParseRate parses rate(value unit). value is a whole number from 1. unit is minute, hour or day for 1, else minutes,
// hours or days. White space around and between them is allowed. Errors say what is allowed; cron(…) and at(…) are
// refused as not supported.
func ParseRate(expression string) (time.Duration, error) {
	trimmed := strings.TrimSpace(expression)
	for _, other := range []string{"cron(", "at("} {
		if strings.HasPrefix(trimmed, other) {
			return 0, fmt.Errorf("schedule %q: the local stack runs rate(…) only, such as rate(5 minutes)", expression)
		}
	}
	inside, ok := strings.CutPrefix(trimmed, "rate(")
	inside, closed := strings.CutSuffix(inside, ")")
	fields := strings.Fields(inside)
	if !ok || !closed || len(fields) != 2 {
		return 0, fmt.Errorf("schedule %q is not of the form rate(5 minutes)", expression)
	}
	value, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || value < 1 || fields[0][0] == '+' {
		return 0, fmt.Errorf("schedule %q: %q is not a whole number from 1", expression, fields[0])
	}
	name, plural := strings.CutSuffix(fields[1], "s")
	unit, known := units[name]
	switch {
	case !known:
		return 0, fmt.Errorf("schedule %q: unknown unit %q; allowed are minute, minutes, hour, hours, day, days", expression, fields[1])
	case plural && value == 1:
		return 0, fmt.Errorf("schedule %q: the unit of 1 is %s", expression, name)
	case !plural && value > 1:
		return 0, fmt.Errorf("schedule %q: the unit of %d is %ss", expression, value, name)
	case value > math.MaxInt64/int64(unit):
		return 0, fmt.Errorf("schedule %q: %d %s are too many", expression, value, fields[1])
	}
	return time.Duration(value) * unit, nil
}
