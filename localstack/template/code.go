package template

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/build"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// retiredRuntimes are those that AWS does not create functions on any more. Binaries for them run on provided.al2023 too.
// See https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated.
var retiredRuntimes = []string{"go1.x", "provided"}

// readCode reads the runtime of a function and where its binary comes from.
func (r *resolution) readCode(f *spec.Function, res *resource, o object) {
	f.Runtime, f.Bootstrap = o.text("Runtime"), "bootstrap"
	retired := slices.Contains(retiredRuntimes, f.Runtime)
	switch {
	case retired:
		r.retired = append(r.retired, res.id+": "+f.Runtime)
		if f.Runtime == "go1.x" {
			f.Bootstrap = f.Handler // go1.x starts the file that Handler names
		}
		f.Runtime = "provided.al2023"
	default:
		f.Runtime = o.oneOf("Runtime", "provided.al2023", "provided.al2")
	}
	f.Source = r.codePath(o)
	if f.Source == "" || f.Bootstrap == "" {
		return
	}
	if !filepath.IsLocal(filepath.FromSlash(f.Bootstrap)) {
		o.add(o.lineOf("Handler"), "property Handler is %q; with Runtime go1.x it is the path of the binary inside the code", f.Handler)
		return
	}
	b := build.Function{LogicalID: res.id, Source: f.Source, Bootstrap: f.Bootstrap, Retired: retired}
	line := o.lineOf("CodeUri")
	metadata := member(res.node, "Metadata")
	if method := member(metadata, "BuildMethod"); method != nil {
		b.BuildMethod, line = method.Value, method.Line
	}
	if skip := member(metadata, "SkipBuild"); skip != nil && strings.EqualFold(skip.Value, "true") {
		b.BuildMethod, line = build.Prebuilt, skip.Line
	}
	method, err := build.Method(b)
	if err != nil {
		o.add(line, "%s", r.beside(f.Source, err))
	}
	f.BuildMethod = method
}

// codePath is CodeUri as an absolute path. Without CodeUri, SAM takes the folder of the template. "" is reported.
func (r *resolution) codePath(o object) string {
	if o.members["CodeUri"] == nil {
		return r.template.dir
	}
	uri := o.text("CodeUri")
	if uri == "" {
		return ""
	}
	if strings.Contains(uri, "://") {
		o.add(o.lineOf("CodeUri"), "property CodeUri is %q; the local stack supports the path of a folder or zip file only", uri)
		return ""
	}
	if filepath.IsAbs(uri) {
		return filepath.Clean(uri)
	}
	return filepath.Join(r.template.dir, filepath.FromSlash(uri))
}

// beside names a path in an error as the template does: from its own folder on.
func (r *resolution) beside(path string, err error) string {
	short, relErr := filepath.Rel(r.template.dir, path)
	if relErr != nil {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), path, filepath.ToSlash(short))
}

// warnRetired says once which functions have a retired runtime.
func (r *resolution) warnRetired() {
	if len(r.retired) > 0 {
		r.stack.Warnings = append(r.stack.Warnings, "AWS has retired the runtimes of "+list(r.retired)+
			"; they run as provided.al2023 here. To deploy, set Runtime: provided.al2023, Handler: bootstrap, and Metadata: {BuildMethod: go1.x}")
	}
}
