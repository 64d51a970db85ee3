package template

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var rateForm = regexp.MustCompile(`^rate\(([1-9][0-9]{0,8}) (minutes?|hours?|days?)\)$`)

// parseRate reads rate(1 minute), rate(5 minutes) and so on.
func parseRate(expression string) (time.Duration, error) {
	parts := rateForm.FindStringSubmatch(expression)
	if parts == nil {
		return 0, fmt.Errorf("%q is not of the form rate(5 minutes), which is all that the local stack supports", expression)
	}
	count, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0, err
	}
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[parts[2][0]]
	return time.Duration(count) * unit, nil
}
