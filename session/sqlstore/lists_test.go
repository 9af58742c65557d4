package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/sqlstore"
)

func TestList(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	keys, err := s.List(t.Context(), "list")
	require.NoError(t, err)
	require.Empty(t, keys)

	d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) {
		return [][]driver.Value{{"one"}, {[]byte("two")}}, 0, nil
	})
	keys, err = s.List(t.Context(), "list")
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two"}, keys)
}

// SE-15: half a list is none, for the rest of the sessions would go on.
func TestAListThatIsCutOffIsAnError(t *testing.T) {
	lost := errors.New("connection reset by peer")
	for name, rows := range map[string][][]driver.Value{
		"it ends early": {{"one"}, {lost}},
		"no key":        {{"one"}, {nil}},
	} {
		t.Run(name, func(t *testing.T) {
			s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
			d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return rows, 0, nil })
			keys, err := s.List(t.Context(), "list")
			require.ErrorContains(t, err, "sqlstore: list: ")
			require.Nil(t, keys)
		})
	}
}
