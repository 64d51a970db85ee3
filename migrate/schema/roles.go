package schema

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
)

// rights are the rights of each function to each table. Only the migration uses schema_migrations.
var rights = map[string]map[string]string{
	"api": {
		"tasks":            "SELECT, INSERT, UPDATE",
		"idempotency_keys": "SELECT, INSERT, UPDATE",
		"lanes":            "SELECT, INSERT, UPDATE, DELETE",
	},
	"worker": {
		"tasks": "SELECT, UPDATE",
		"lanes": "SELECT, INSERT, UPDATE, DELETE",
	},
	"sweeper": {
		"tasks":            "SELECT, UPDATE, DELETE",
		"idempotency_keys": "SELECT, UPDATE, DELETE", // FOR UPDATE requires UPDATE
		"lanes":            "SELECT, INSERT, UPDATE, DELETE",
	},
}

// insufficientPrivilege is the SQLSTATE for an account that may not create roles.
const insufficientPrivilege = "42501"

// roles are the roles that the functions log in as.
type roles struct {
	// database is where they log in. Their passwords derive from password, the account's.
	database, password string
	// how is config.Storage.Roles.
	how   string
	limit map[string]int // of connections, by function
}

// limits gives each function the connections that it needs, and half of the free ones: a killed environment may leave a
// connection behind for a while. People still get in when every function is at its limit.
func (c connections) limits() map[string]int {
	if c.pooled || c.free() < c.need() {
		return map[string]int{"api": -1, "worker": -1, "sweeper": -1}
	}
	half := (c.free() - c.need()) / 2
	return map[string]int{"api": c.api + half, "worker": c.worker + half, "sweeper": c.sweeper}
}

// makeRoles creates the roles, or brings their rights and passwords up to date. If the account may not do that, the
// functions log in as the account itself, and makeRoles logs a warning. how is config.Storage.Roles.
func makeRoles(ctx context.Context, db *sql.DB, how string, limits map[string]int) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("create the functions' roles: %w", err)
	}
	defer func() { _ = conn.Close() }() // back to the pool
	r := roles{how: how, limit: limits}
	err = conn.Raw(func(driver any) error {
		account := driver.(*stdlib.Conn).Conn().Config()
		r.database, r.password = account.Database, account.Password
		return nil
	})
	if err != nil {
		return fmt.Errorf("create the functions' roles: %w", err)
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("create the functions' roles: %w", err)
	}
	statements, err := r.statements(ctx, tx)
	for i := 0; i < len(statements) && err == nil; i++ {
		_, err = tx.ExecContext(ctx, statements[i])
	}
	if err == nil {
		err = tx.Commit()
	} else {
		_ = tx.Rollback() // err says more
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
		slog.WarnContext(ctx, "the functions log in as the database's own account, which may not create roles: grant it CREATEROLE, or set storage.roles to none",
			"error", refused.Message)
		return nil
	}
	if err != nil {
		return fmt.Errorf("create the functions' roles: %w", err)
	}
	return nil
}

// statements returns the statements that create the roles.
func (r roles) statements(ctx context.Context, tx *sql.Tx) ([]string, error) {
	// One migration at a time changes a role: Postgres fails the second.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('ksu roles', 0))`); err != nil {
		return nil, err
	}
	var schema string
	var version int
	err := tx.QueryRowContext(ctx, `SELECT current_schema(), current_setting('server_version_num')::int`).Scan(&schema, &version)
	if err != nil {
		return nil, err
	}
	var list []string
	tables, err := tablesOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, function := range slices.Sorted(maps.Keys(rights)) {
		name := pgconf.RoleName(r.database, function)
		var exists bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, name).Scan(&exists); err != nil {
			return nil, err
		}
		made, err := r.role(name, function, exists)
		if err != nil {
			return nil, err
		}
		list = append(list, made...)
		list = append(list, settings(identifier(name), version)...)
		list = append(list, grants(identifier(name), identifier(schema), tables, rights[function])...)
	}
	return list, nil
}

// role returns the statements that create or update a role that can log in.
func (r roles) role(name, function string, exists bool) ([]string, error) {
	verb := "CREATE"
	if exists {
		verb = "ALTER"
	}
	text := fmt.Sprintf("%s ROLE %s LOGIN CONNECTION LIMIT %d", verb, identifier(name), r.limit[function])
	if r.how == "iam" {
		return []string{text, "GRANT rds_iam TO " + identifier(name)}, nil
	}
	if password := pgconf.RolePassword(r.password, name); password != "" {
		verifier, err := scram(password)
		if err != nil {
			return nil, err
		}
		text += " PASSWORD '" + verifier + "'"
	}
	return []string{text}, nil
}

// settings make the server close the connections of dead environments, and those of frozen environments that nobody
// needs. A database without connections can pause.
func settings(role string, version int) []string {
	list := []string{
		"ALTER ROLE " + role + " SET tcp_keepalives_idle = 30",
		"ALTER ROLE " + role + " SET tcp_keepalives_interval = 10",
		"ALTER ROLE " + role + " SET tcp_keepalives_count = 3",
	}
	if version >= 140000 {
		list = append(list, "ALTER ROLE "+role+" SET idle_session_timeout = '5min'")
	}
	return list
}

// tablesOf lists the tables of the schema. A folder of older migrations has fewer.
func tablesOf(ctx context.Context, tx *sql.Tx) (list []string, err error) {
	var joined string
	err = tx.QueryRowContext(ctx, `SELECT coalesce(string_agg(tablename, ' ' ORDER BY tablename), '') FROM pg_tables WHERE schemaname = current_schema()`).Scan(&joined)
	return strings.Fields(joined), err
}

// grants returns the statements that give a role its rights to the tables of a schema, and revoke all others.
func grants(role, schema string, tables []string, rights map[string]string) []string {
	list := []string{
		"GRANT USAGE ON SCHEMA " + schema + " TO " + role,
		"REVOKE ALL ON ALL TABLES IN SCHEMA " + schema + " FROM " + role,
	}
	for _, table := range tables {
		if right, ok := rights[table]; ok {
			list = append(list, fmt.Sprintf("GRANT %s ON %s.%s TO %s", right, schema, identifier(table), role))
		}
	}
	return list
}

func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// scram returns a password's verifier as Postgres keeps it, so that the server's log does not show the password. See
// RFC 5803.
func scram(password string) (string, error) {
	const iterations = 4096
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive a password's verifier: %w", err)
	}
	sign := func(text string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(sign("Server Key"))), nil
}

// makesRoles reports whether the migration creates roles.
func makesRoles(storage config.Storage) bool {
	return storage.Roles == "password" || storage.Roles == "iam"
}
