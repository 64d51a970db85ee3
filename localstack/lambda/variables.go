package lambda

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// variables returns the environment variables of the function, except those that differ between its processes. It leaves
// out the environment of the local stack: a function must not depend on the shell of a developer. Without HOME, the AWS SDK
// does not read the profile of the developer.
// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime.
func (f *function) variables() []string {
	all := map[string]string{
		"LANG": "en_US.UTF-8",
		"TZ":   ":UTC",
		"PATH": "/usr/local/bin:/usr/bin:/bin",
		// A laptop has no instance metadata. Asking for it costs each SDK client seconds.
		"AWS_EC2_METADATA_DISABLED": "true",
	}
	for _, inherited := range []string{"PATH", "TMPDIR"} {
		if value, ok := os.LookupEnv(inherited); ok {
			all[inherited] = value
		}
	}
	maps.Copy(all, f.service.options.Environment)
	maps.Copy(all, f.Environment)
	maps.Copy(all, f.reserved())
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

// reserved returns the variables that Lambda sets and that a function cannot override.
func (f *function) reserved() map[string]string {
	root := filepath.Dir(f.binary)
	return map[string]string{
		"_HANDLER":                        f.Handler,
		"LAMBDA_TASK_ROOT":                root,
		"LAMBDA_RUNTIME_DIR":              root,
		"AWS_REGION":                      awsid.Region,
		"AWS_DEFAULT_REGION":              awsid.Region,
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemorySize),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
	}
}
