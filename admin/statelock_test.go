package admin

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func openState(t *testing.T, path string) (*stateFile, error) {
	t.Helper()
	f, err := openStateFile(path, slog.New(slog.DiscardHandler))
	if f != nil {
		t.Cleanup(func() { _ = f.close() })
	}
	return f, err
}

func TestNoOtherProcessTakesAStateWhoseLockIsGone(t *testing.T) {
	for name, tamper := range map[string]func(lock string) error{
		"removed":  os.Remove,
		"replaced": func(lock string) error { _ = os.Remove(lock); return os.WriteFile(lock, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			owner, err := openState(t, path)
			require.NoError(t, err)
			for _, content := range []string{"1", "2"} { // a write replaces the file
				require.NoError(t, owner.write([]byte(content)))
				require.NoError(t, tamper(beside(path, "lock")))
				_, err = openState(t, path)
				require.ErrorIs(t, err, errTaken, "it opens the state")
			}
			require.NoError(t, owner.write([]byte("3")), "the lock is taken again")
			_, err = openState(t, path)
			require.ErrorIs(t, err, errTaken)

			require.NoError(t, owner.close())
			next, err := openState(t, path)
			require.NoError(t, err)
			data, there, err := next.read()
			require.NoError(t, err)
			require.True(t, there)
			require.Equal(t, "3", string(data))
		})
	}
}

// Whoever removes the state and its lock leaves nothing to tell an owner by, except the lock
// that the next process takes.
func TestAnOwnerThatLostItsStateWritesNoMore(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, f *stateFile){
		"before the first write": func(*testing.T, *stateFile) {},
		"with the state":         func(t *testing.T, f *stateFile) { require.NoError(t, f.write([]byte("1"))) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			first, err := openState(t, path)
			require.NoError(t, err)
			begin(t, first)
			require.NoError(t, os.Remove(beside(path, "lock")))
			require.NoError(t, removeIfThere(path))
			second, err := openState(t, path)
			require.NoError(t, err)
			require.ErrorIs(t, first.write([]byte("by the first")), errTaken)
			require.NoError(t, second.write([]byte("by the second")))
			require.ErrorIs(t, first.write([]byte("by the first")), errTaken)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, "by the second", string(data))
		})
	}
}

func TestAClientIsToldThatAnotherProcessHasTheState(t *testing.T) {
	s := serve(t, Options{})
	require.NoError(t, os.Remove(beside(s.state, "lock")))
	second, err := openState(t, s.state)
	require.NoError(t, err)
	require.Contains(t, s.call("POST", "/consumers", `{"username": "bob"}`).is(500).raw, "Another process uses the state file now; the change was not applied")
	require.Empty(t, s.applied)
	require.Contains(t, s.log.String(), "it is used by another process")
	require.NoError(t, second.close())
	s.call("POST", "/consumers", `{"username": "bob"}`).is(201)

	// A backup that is put back is not read.
	require.NoError(t, os.WriteFile(s.state+".backup", []byte("{}"), 0o600))
	require.NoError(t, os.Rename(s.state+".backup", s.state))
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	require.Contains(t, s.log.String(), "somebody replaced the state file while semlb runs")
}
