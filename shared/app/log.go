package app

import (
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
)

// openLog opens the log of the configuration, and logs the configuration's warnings. With an address of ClickHouse,
// lines go there too, unless logger.output_internal is set.
func openLog(cfg *config.Config) (*logging.Logger, error) {
	c := logging.Config{
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
	log, err := logging.Open(c)
	if err != nil {
		return nil, err
	}
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	return log, nil
}
