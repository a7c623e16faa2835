// Package sdk holds a test that has OpenAI's own Python and Node SDKs use semlb.
// The checks are in python/checks.py and node/checks.cjs; scripts/get-sdks.sh
// installs the SDKs, at the versions pinned beside them.
package sdk
