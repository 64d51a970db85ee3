package logging

import (
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
)

// Configure opens the log as the configuration says, and logs the configuration's warnings. Lines go to ClickHouse where
// it has an address, unless logger.output_internal is set.
func Configure(cfg *config.Config) (*Logger, error) {
	c := Config{
		Handler: cfg.Logger.Handler, Level: cfg.Logger.Level, Source: cfg.Logger.Source,
		FlushTimeout: cfg.ClickHouse.FlushTimeout,
	}
	if !cfg.Logger.OutputInternal {
		ch := &cfg.ClickHouse
		c.ClickHouse = clickhouse.Config{
			Address: ch.Address, Username: ch.Username, Password: string(ch.Password), Database: ch.Database, Secure: ch.Secure,
			ConnectionAttempts: ch.ConnectionAttempts, TryConnectionPeriod: ch.TryConnectionPeriod,
			BatchSize: ch.BatchSize, BatchInterval: ch.BatchInterval, BufferSize: ch.BufferSize,
		}
	}
	l, err := Open(c)
	if err != nil {
		return nil, err
	}
	for _, warning := range cfg.Warnings {
		l.Warn(warning)
	}
	return l, nil
}
