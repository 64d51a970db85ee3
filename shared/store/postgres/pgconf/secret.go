package pgconf

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"
)

// fetchTimeout bounds one fetch, including the SDK's retries. Connections of a pool have no time limit, and the SDK
// would wait for ever, for example in a private network without a route to Secrets Manager.
const fetchTimeout = 5 * time.Second

// secret is a user and password in Secrets Manager. The first connection fetches them. Since each call costs money and
// time, they are kept until the server refuses them.
type secret struct {
	client *secretsmanager.Client
	arn    string

	mu   sync.Mutex // held during a fetch, so that one call serves all waiting connections
	kept *login
}

// login is the form of RDS's, Aurora's and users' secrets. See
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html.
type login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func newSecret(sdk aws.Config, arn string) *secret {
	return &secret{client: secretsmanager.NewFromConfig(sdk), arn: arn}
}

func (s *secret) beforeConnect(ctx context.Context, cfg *pgx.ConnConfig) error {
	l, err := s.get(ctx)
	if err != nil {
		return fmt.Errorf("%w: secret %s: %w", ErrNoCredentials, s.arn, err)
	}
	cfg.User, cfg.Password = l.Username, l.Password
	return nil
}

func (s *secret) get(ctx context.Context) (*login, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != nil {
		return s.kept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	answer, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.arn})
	if err != nil {
		return nil, err
	}
	var l login
	// The decoder's errors quote the text, which may be the password.
	if json.Unmarshal([]byte(aws.ToString(answer.SecretString)), &l) != nil || l.Username == "" || l.Password == "" {
		return nil, fmt.Errorf("it is not JSON with the members username and password")
	}
	s.kept = &l
	return &l, nil
}

// forget drops the kept credentials if they have this refused password; "" drops any. Otherwise they were fetched
// meanwhile.
func (s *secret) forget(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != nil && (password == "" || s.kept.Password == password) {
		s.kept = nil
	}
}
