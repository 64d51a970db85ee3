package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

var (
	// nameForm is CloudFormation's form of a stack name.
	nameForm    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]{0,127}$`)
	notInAName  = regexp.MustCompile(`[^a-zA-Z0-9]+`)
	beginsRight = regexp.MustCompile(`^[a-zA-Z]`)
)

// stackName returns the option's name, else that of samconfig.toml beside the template, else the template's folder.
func (o Options) stackName() (string, error) {
	dir, err := filepath.Abs(filepath.Dir(o.Template))
	if err != nil {
		return "", fmt.Errorf("folder of the template: %w", err)
	}
	name, source := o.StackName, "--stack-name"
	if name == "" {
		source = filepath.Join(filepath.Dir(o.Template), "samconfig.toml") + ": stack_name"
		if name, err = samStackName(filepath.Join(dir, "samconfig.toml")); err != nil {
			return "", err
		}
	}
	if name == "" {
		return folderName(filepath.Base(dir)), nil
	}
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("%s is %q; allowed are a letter and then up to 127 letters, digits and hyphens", source, name)
	}
	return name, nil
}

// samStackName returns the stack name of `sam deploy`, "" if the file or the key does not exist. See
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html.
func samStackName(path string) (string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the configuration of the SAM CLI: %w", err)
	}
	type section struct {
		Parameters struct {
			StackName string `toml:"stack_name"`
		}
	}
	var config struct {
		Default struct{ Global, Deploy section }
	}
	if err := toml.Unmarshal(content, &config); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if name := config.Default.Deploy.Parameters.StackName; name != "" {
		return name, nil
	}
	return config.Default.Global.Parameters.StackName, nil
}

// folderName turns a folder's name into a stack's.
func folderName(folder string) string {
	name := strings.Trim(notInAName.ReplaceAllString(folder, "-"), "-")
	if !beginsRight.MatchString(name) {
		name = strings.TrimSuffix("stack-"+name, "-")
	}
	return name[:min(len(name), 128)]
}
