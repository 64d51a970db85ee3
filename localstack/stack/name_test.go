package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStackName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		folder, config, given, want string
	}{
		"option":                       {"shop", "[default.global.parameters]\nstack_name = \"sam\"", "demo", "demo"},
		"samconfig":                    {"shop", "version = 0.1\n[default.global.parameters]\nstack_name = \"sam\"", "", "sam"},
		"samconfig, of sam deploy":     {"shop", "[default.global.parameters]\nstack_name = \"a\"\n[default.deploy.parameters]\nstack_name = \"b\"", "", "b"},
		"samconfig without a name":     {"shop", "[default.deploy.parameters]\nregion = \"x\"", "", "shop"},
		"folder":                       {"shop", "", "", "shop"},
		"folder of another form":       {"my_shop (2)", "", "", "my-shop-2"},
		"folder that begins wrong":     {"01-shop", "", "", "stack-01-shop"},
		"folder without any letter":    {"...", "", "", "stack"},
		"folder with a very long name": {strings.Repeat("a", 200), "", "", strings.Repeat("a", 128)},
	} {
		dir := filepath.Join(t.TempDir(), test.folder)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if test.config != "" {
			if err := os.WriteFile(filepath.Join(dir, "samconfig.toml"), []byte(test.config), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Options{Template: filepath.Join(dir, "template.yaml"), StackName: test.given}.stackName()
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
}

func TestStackNamesThatAreWrong(t *testing.T) {
	t.Parallel()
	if _, err := (Options{Template: "template.yaml", StackName: "1a"}).stackName(); err == nil || !strings.Contains(err.Error(), `--stack-name is "1a"; allowed are`) {
		t.Errorf("got %v", err)
	}
	for config, want := range map[string]string{
		"[default.global.parameters]\nstack_name = \"a b\"": `samconfig.toml: stack_name is "a b"; allowed are`,
		"stack_name = ": "samconfig.toml: toml: ",
	} {
		path := write(t, "samconfig.toml", config)
		if _, err := (Options{Template: filepath.Join(filepath.Dir(path), "template.yaml")}).stackName(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", config, err, want)
		}
	}
}
