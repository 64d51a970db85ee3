package schema_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/config"
)

// TestTheTemplateFollowsTheNewestMigrations checks the version properties: CloudFormation runs a custom resource again
// only when a property changes.
func TestTheTemplateFollowsTheNewestMigrations(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for property, version := range map[string]uint{"SchemaVersion": schema.Latest(), "LogSchemaVersion": schema.Logs(config.ClickHouse{}).Latest()} {
		if want := fmt.Sprintf(" %s: %q", property, fmt.Sprint(version)); !strings.Contains(string(template), want) {
			t.Errorf("infra/sam/template.yaml has no line%s", want)
		}
	}
}
