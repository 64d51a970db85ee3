package schema_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"ksu/migrate/schema"
)

// CloudFormation runs the custom resource again only when one of its properties changes.
func TestTheTemplateFollowsTheNewestMigration(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("SchemaVersion: %q", fmt.Sprint(schema.Latest())); !strings.Contains(string(template), want) {
		t.Errorf("infra/sam/template.yaml has no line %s", want)
	}
}
