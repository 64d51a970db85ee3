package schema_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestRotationDuringUp migrates with a secret that is older than the server's password at first.
func TestRotationDuringUp(t *testing.T) { // not parallel: it sets variables
	server := testserver.PrivatePostgres(t)
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name, password := "a"+strings.ToLower(rand.Text()), rand.Text()
	conn := connect(t, server)
	for _, statement := range []string{
		fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, password), "CREATE DATABASE " + name + " OWNER " + name,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var fetches atomic.Int64
	secrets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		found := password
		if fetches.Add(1) == 1 {
			found = "old"
		}
		w.Header().Set("Connection", "close")
		login := fmt.Sprintf(`{"username":%q,"password":%q}`, name, found)
		_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": login})
	}))
	t.Cleanup(secrets.Close)
	for variable, value := range map[string]string{
		"AWS_ENDPOINT_URL": secrets.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		t.Setenv(variable, value)
	}
	tasks := target(t, config.Storage{
		Type: "postgres", SecretARN: "arn:aws:secretsmanager:eu-west-1:1:secret:" + name,
		DatabaseURL: config.Secret(fmt.Sprintf("postgres://%s/%s?sslmode=disable", u.Host, name)),
	})
	step(t, "up", tasks.Latest())(tasks.Up(t.Context()))
	if n := fetches.Load(); n != 2 {
		t.Errorf("the secret was fetched %d times; want 2", n)
	}
}
