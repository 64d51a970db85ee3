package pgconf_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
)

// TestToken connects to a server that requires the password in clear text over TLS, as RDS does with IAM
// authentication.
func TestToken(t *testing.T) {
	t.Parallel()
	host, passwords := clearTextServer(t)
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgconf.Parse(t.Context(), config.Storage{
		Host: "127.0.0.1", Port: number, User: "app", Name: "d", SSLMode: "require", Auth: "iam",
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // each connection has its own token
		cfg := c.ConnConfig.Copy()
		if err := c.BeforeConnect(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		_, err = pgx.ConnectConfig(t.Context(), cfg)
		if err == nil || strings.Contains(err.Error(), "X-Amz") || c.Refused(err) {
			t.Errorf("the server's refusal is %v", err)
		}
		token, err := url.Parse("https://" + <-passwords)
		if err != nil {
			t.Fatal(err)
		}
		q := token.Query()
		if token.Host != host || q.Get("Action") != "connect" || q.Get("DBUser") != "app" || q.Get("X-Amz-Expires") != "900" ||
			len(q.Get("X-Amz-Signature")) != 64 || !strings.Contains(q.Get("X-Amz-Credential"), "/eu-west-1/rds-db/") {
			t.Errorf("the token is %s", token)
		}
	}
}

// clearTextServer refuses every password, and reports it.
func clearTextServer(t *testing.T) (address string, passwords <-chan string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	certificates := &tls.Config{Certificates: certified.TLS.Certificates}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	told, ended := make(chan string, 2), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if err := refuse(conn, certificates, told); err != nil {
				t.Error(err)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String(), told
}

func refuse(conn net.Conn, certificates *tls.Config, told chan<- string) error {
	request := make([]byte, 8) // SSLRequest
	if _, err := io.ReadFull(conn, request); err != nil {
		return err
	}
	if code := binary.BigEndian.Uint32(request[4:]); code != 80877103 {
		told <- ""
		return nil
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return err
	}
	encrypted := tls.Server(conn, certificates)
	server := pgproto3.NewBackend(encrypted, encrypted)
	if _, err := server.ReceiveStartupMessage(); err != nil {
		return err
	}
	server.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := server.Flush(); err != nil {
		return err
	}
	if err := server.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		return err
	}
	message, err := server.Receive()
	if err != nil {
		return err
	}
	told <- message.(*pgproto3.PasswordMessage).Password
	server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28000", Message: "PAM authentication failed for user"})
	return server.Flush()
}
