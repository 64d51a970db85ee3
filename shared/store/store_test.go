package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/task"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var got store.Config
	store.Register("test", func(_ context.Context, cfg store.Config) (task.Store, error) {
		got = cfg
		return nil, broken
	})
	want := store.Config{Type: "test", DatabaseURL: "somewhere"}
	if s, err := store.Open(t.Context(), want); s != nil || !errors.Is(err, broken) || got != want {
		t.Errorf("Open = %v, %v with %+v; want the store's own error, and %+v", s, err, got, want)
	}
	for _, unknown := range []string{"", "mysql"} {
		_, err := store.Open(t.Context(), store.Config{Type: unknown})
		if err == nil || !strings.Contains(err.Error(), `"`+unknown+`"`) || !strings.Contains(err.Error(), strings.Join(store.Names(), ", ")) {
			t.Errorf("Open(%q) = %v; want an error that lists the known stores", unknown, err)
		}
	}
	if names := store.Names(); !slices.Contains(names, "postgres") || !slices.Contains(names, "internal") || !slices.IsSorted(names) {
		t.Errorf("stores are %v; want internal and postgres among them, in order", names)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name was registered twice")
		}
	}()
	store.Register("test", func(context.Context, store.Config) (task.Store, error) { return nil, nil })
}
