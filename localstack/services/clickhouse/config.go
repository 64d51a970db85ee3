package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/eragon-mdi/ksu/localstack/services/run"
)

const configName, usersName = "config.xml", "users.xml"

// serverConfig is the configuration of the server. Its settings are known to 18.16 and to current servers. 18.16 requires
// the root element <yandex>; current servers accept any. The mark cache is small, as there are few tables.
const serverConfig = `<?xml version="1.0"?>
<yandex>
	<logger><level>warning</level><console>1</console></logger>
	<listen_host>127.0.0.1</listen_host>
	<tcp_port>%[1]d</tcp_port>
	<path>%[2]s/data/</path>
	<tmp_path>%[2]s/data/tmp/</tmp_path>
	<user_files_path>%[2]s/data/user_files/</user_files_path>
	<format_schema_path>%[2]s/data/format_schemas/</format_schema_path>
	<users_config>%[2]s/users.xml</users_config>
	<default_profile>default</default_profile>
	<default_database>default</default_database>
	<mark_cache_size>67108864</mark_cache_size>
	<timezone>UTC</timezone>
</yandex>
`

// usersConfig defines the account.
const usersConfig = `<?xml version="1.0"?>
<yandex>
	<profiles><default/></profiles>
	<users><default>
		<password_sha256_hex>%x</password_sha256_hex>
		<networks><ip>127.0.0.1</ip></networks>
		<profile>default</profile>
		<quota>default</quota>
	</default></users>
	<quotas><default/></quotas>
</yandex>
`

// writeConfig writes the configuration for the present port and password, and creates the data folder.
func (s *Server) writeConfig(a run.Account) error {
	var path strings.Builder
	if err := xml.EscapeText(&path, []byte(s.folder.Path())); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	for name, text := range map[string]string{
		configName: fmt.Sprintf(serverConfig, s.port, path.String()),
		usersName:  fmt.Sprintf(usersConfig, sha256.Sum256([]byte(s.password))),
	} {
		if err := os.WriteFile(s.folder.File(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		if err := a.Own(s.folder.File(name)); err != nil {
			return err
		}
	}
	data := s.folder.File(dataName)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	return a.Own(data)
}

// awaitAnswer waits until the server answers a query, and returns its version.
func (s *Server) awaitAnswer(ctx context.Context) (version string, err error) {
	options, err := ch.ParseDSN(s.url())
	if err != nil {
		return "", fmt.Errorf("connect to the server: %w", err)
	}
	// Another process may have taken the port. It may never answer, while our server ends.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	go func() {
		select {
		case <-s.program.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	db := ch.OpenDB(options)
	defer db.Close()
	for {
		err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version)
		switch {
		case err == nil:
			return version, nil
		case s.program.Ended():
			return "", s.program.Failure()
		case !sleep(ctx, 20*time.Millisecond):
			if s.program.Ended() {
				return "", s.program.Failure()
			}
			return "", fmt.Errorf("connect to the server: %w", err)
		}
	}
}
