package provide

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dataVariable stands for the data folder in the values of Else.
const dataVariable = "${Data}"

// elsePath is the file or folder that stands in for the service: the first value of Else in the data folder, or what the
// user gives in its place. It is "" if there is no such value.
func (s *service) elsePath(o Options) string {
	for _, parameter := range slices.Sorted(maps.Keys(s.Else)) {
		value := s.Else[parameter]
		if !strings.Contains(value, dataVariable) {
			continue
		}
		if given := o.Given[parameter].Text; given != "" {
			return given
		}
		return strings.ReplaceAll(value, dataVariable, o.Data)
	}
	return ""
}

// unseen says which data of earlier runs this run does not use, where the user left the choice to the local stack, and what
// brings it back.
func (s *service) unseen(o Options) (warnings []string) {
	if choice := o.Choices[s.Service]; choice != "" && choice != Auto || s.Else == nil {
		return nil
	}
	warn := func(data, instead string) {
		now := s.what
		if now == "" {
			now = "a private server"
		}
		warnings = append(warnings, fmt.Sprintf("data in %s is not used: %s is %s%s; %s", data, s.Service, now, reason(s.why), instead))
	}
	off := s.start == nil
	if path := s.elsePath(o); path != "" && !off && holdsData(path) {
		warn(path, fmt.Sprintf("--provide %s=off uses it", s.Service))
	}
	if dir := filepath.Join(o.Data, s.Service); s.hasData(dir) && s.release == nil {
		instead := "without that address it is used again"
		if off {
			instead = fmt.Sprintf("--provide %s=on uses it, once the server is installed", s.Service)
		}
		warn(dir, instead)
	}
	return warnings
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// holdsData reports whether a file has content.
func holdsData(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
