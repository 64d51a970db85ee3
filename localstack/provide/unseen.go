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

// elsePath returns the file or folder that replaces the service: the first value of Else in the data folder, or the
// user's value instead. It is "" if there is no such value.
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

// unseen warns about data of earlier runs that this run does not use because of the local stack's own choice, and says
// how to use it.
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
		instead := "remove that address to use it again"
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
