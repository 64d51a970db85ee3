package services

import (
	"context"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

const configName, usersName = "config.xml", "users.xml"

// serverConfig is the server's configuration, in the settings that both 18.16 and current servers know. The root element
// <yandex> is what the former wants; the latter take any. The cache of marks is small: there are few tables.
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

// usersConfig has the one account.
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

// writeConfig writes the configuration for the present port and password, and makes the data folder.
func (c *ClickHouse) writeConfig(a account) error {
	var path strings.Builder
	if err := xml.EscapeText(&path, []byte(c.folder.path)); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	for name, text := range map[string]string{
		configName: fmt.Sprintf(serverConfig, c.port, path.String()),
		usersName:  fmt.Sprintf(usersConfig, sha256.Sum256([]byte(c.password))),
	} {
		if err := os.WriteFile(c.folder.file(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		if err := a.own(c.folder.file(name)); err != nil {
			return err
		}
	}
	data := c.folder.file(dataName)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	return a.own(data)
}

// ready waits until the server answers and returns its version.
func (c *ClickHouse) ready(ctx context.Context) (version string, err error) {
	options, err := ch.ParseDSN(c.url())
	if err != nil {
		return "", fmt.Errorf("connect to the server: %w", err)
	}
	// If a stranger took the port first, he may never answer, while our server ends.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	go func() {
		select {
		case <-c.program.done:
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
		case c.program.ended():
			return "", c.program.failure()
		case !sleep(ctx, 20*time.Millisecond):
			if c.program.ended() {
				return "", c.program.failure()
			}
			return "", fmt.Errorf("connect to the server: %w", err)
		}
	}
}
