package pgconf_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// secrets is the Secrets Manager for all SDK clients of this program.
var secrets = &secretsManager{values: map[string]string{}, calls: map[string]int{}}

func TestMain(m *testing.M) { goleak.VerifyTestMain(runner{m}) }

type runner struct{ m *testing.M }

func (r runner) Run() int {
	fake := httptest.NewServer(secrets)
	defer fake.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": fake.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	code := r.m.Run()
	if err := testserver.Stop(); err != nil {
		panic(err)
	}
	return code
}

// secretsManager answers GetSecretValue as Secrets Manager does.
type secretsManager struct {
	mu     sync.Mutex
	values map[string]string // by ARN
	calls  map[string]int
}

func (m *secretsManager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ SecretId string }
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &asked) != nil || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
		http.Error(w, "not GetSecretValue", http.StatusBadRequest)
		return
	}
	if strings.HasSuffix(asked.SecretId, ":hangs") {
		<-r.Context().Done()
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[asked.SecretId]++
	w.Header().Set("Connection", "close") // the client lives as long as its store, and nobody closes its connections
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	value, ok := m.values[asked.SecretId]
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"ARN": asked.SecretId, "SecretString": value, "VersionId": rand.Text()})
}

func (m *secretsManager) put(arn, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[arn] = value
}

func (m *secretsManager) value(arn string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[arn]
}

func (m *secretsManager) called(arn string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[arn]
}

// account is a role with its own database, whose password is in a secret.
type account struct {
	t       *testing.T
	storage config.Storage
}

func newAccount(t *testing.T) account {
	t.Helper()
	name := "a" + strings.ToLower(rand.Text())
	u, err := url.Parse(testserver.PrivatePostgres(t))
	if err != nil {
		t.Fatal(err)
	}
	a := account{t, config.Storage{
		Type: "postgres", SecretARN: "arn:aws:secretsmanager:eu-west-1:1:secret:" + name,
		DatabaseURL: config.Secret(fmt.Sprintf("postgres://%s/%s?sslmode=disable", u.Host, name)),
	}}
	exec(t, "CREATE ROLE "+name+" LOGIN")
	exec(t, "CREATE DATABASE "+name+" OWNER "+name)
	a.rotate()
	return a
}

// rotate gives the role and the secret a new password, and ends the role's sessions.
func (a account) rotate() {
	a.t.Helper()
	password := rand.Text()
	name := a.name()
	exec(a.t, fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'", name, password))
	secrets.put(a.storage.SecretARN, fmt.Sprintf(`{"username":%q,"password":%q,"engine":"postgres"}`, name, password))
	a.endSessions()
}

// endSessions ends the role's sessions.
func (a account) endSessions() {
	a.t.Helper()
	exec(a.t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '"+a.name()+"'")
}

func (a account) name() string {
	return a.storage.SecretARN[strings.LastIndex(a.storage.SecretARN, ":")+1:]
}

func exec(t *testing.T, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), testserver.PrivatePostgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-west-1:1:secret:"
	secrets.put(arn+"text", "geheim")
	secrets.put(arn+"half", `{"password":"geheim"}`)
	for name, want := range map[string]string{
		"none": "ResourceNotFoundException",
		"text": "it is not JSON with the members username and password",
		"half": "it is not JSON with the members username and password",
	} {
		c, err := pgconf.Parse(t.Context(), config.Storage{SecretARN: arn + name, DatabaseURL: "postgres://h/d"})
		if err != nil {
			t.Fatal(err)
		}
		err = c.BeforeConnect(t.Context(), c.ConnConfig)
		if !errors.Is(err, pgconf.ErrNoCredentials) || !strings.Contains(err.Error(), arn+name) ||
			!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("secret %s: %v; want %s", name, err, want)
		}
	}
	for text, want := range map[string]string{"": "DATABASE_URL is not set", "postgres://u:geheim@h:x/": "DATABASE_URL: "} {
		_, err := pgconf.Parse(t.Context(), config.Storage{DatabaseURL: config.Secret(text)})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
}

func TestPasswordsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	c, err := pgconf.Parse(t.Context(), config.Storage{Host: "h", Port: 5432, User: "u", Password: "p", Name: "n", SSLMode: "require", Auth: "password"})
	if err != nil {
		t.Fatal(err)
	}
	if c.BeforeConnect != nil || c.ConnConfig.Password != "p" || c.ConnConfig.TLSConfig == nil || c.Refused(errors.New("x")) {
		t.Errorf("got %+v", c.ConnConfig)
	}
}
