// Command hellopgx is hello with a connection to Postgres, which no function that keeps anything can do without.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/jackc/pgx/v5"
)

func main() {
	conn, err := pgx.Connect(context.Background(), os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(func(ctx context.Context) error { return conn.Ping(ctx) })
}
