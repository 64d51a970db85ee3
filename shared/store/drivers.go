package store

// The stores of every build. One that deployed functions shall not carry has a file drivers_NAME.go with a build tag.
import (
	_ "github.com/eragon-mdi/ksu/shared/store/postgres"
)
