package config_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
)

func TestAPanicIsAnErrorWithAReferenceAndNoValue(t *testing.T) {
	fail := func(value any) *config.InternalError {
		var internal *config.InternalError
		require.ErrorAs(t, config.Guard(func() error { panic(value) }), &internal)
		return internal
	}
	var all []*config.InternalError
	for _, value := range []any{"sk-1", errors.New("sk-2")} {
		all = append(all, fail(value))
	}
	require.Regexp(t, `^internal error, reference [0-9a-f]{8}, at config_test/internal_test\.go:\d+: `, all[0].Error())
	require.NotContains(t, all[0].Error()+all[0].Stack, "sk-1")
	require.Equal(t, all[0].Reference, all[1].Reference, "the same way to the same panic")
	require.NotEqual(t, all[0].Reference, fail("sk-3").Reference, "another way")

	wrong := errors.New("wrong")
	require.Equal(t, wrong, config.Guard(func() error { return wrong }))
	require.NoError(t, config.Guard(func() error { return nil }))
}
