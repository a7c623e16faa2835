#!/usr/bin/env bash
# get-sdks.sh [FOLDER] installs OpenAI's Python and Node SDKs into FOLDER, by default
# .tools. test/sdk runs them, unmodified, against semlb. Needs no root.
#
#   FOLDER/sdk-python   for PYTHONPATH
#   FOLDER/sdk-node     with node_modules
#
# Versions and hashes are those of test/sdk/python/requirements.txt and
# test/sdk/node/package-lock.json; the packages come from the registries that pip and
# npm are configured for. If they are installed already, it does nothing. A failed run
# leaves no files behind. A lock serializes parallel runs.
#
# To change versions:
#
#   echo openai==VERSION | uv pip compile --universal --generate-hashes \
#       --no-annotate --no-header --python-version 3.10 - -o test/sdk/python/requirements.txt
#   cd test/sdk/node && npm install --package-lock-only --omit-lockfile-registry-resolved
set -euo pipefail

main() {
	(($# <= 1)) || fail 'takes one folder at most'
	pins=$(realpath -- "$(dirname -- "$0")/../test/sdk")
	folder=$(realpath -m -- "${1:-$pins/../../.tools}")
	check_machine
	mkdir -p -- "$folder"
	# The lock is on the folder itself, so that no lock file remains.
	exec 9<"$folder"
	flock 9
	draft=
	trap 'rm -rf -- "$draft"' EXIT
	provide sdk-python "$(stamp_of python "$(python3 -VV)")" get_python
	provide sdk-node "$(stamp_of node node)" get_node
}

fail() {
	echo "get-sdks.sh: $*" >&2
	exit 1
}

check_machine() {
	command -v flock >/dev/null || fail 'needs flock (util-linux)'
	command -v python3 >/dev/null || fail 'needs python3 with pip (Debian: apt-get install python3-pip)'
	command -v npm >/dev/null || fail 'needs Node 20 or newer with npm (Debian: apt-get install nodejs npm)'
}

# stamp_of LANGUAGE INTERPRETER: wheels work with one interpreter only, so it is part
# of the stamp.
stamp_of() {
	printf 'layout 1, %s, ' "$2"
	find "$pins/$1" -maxdepth 1 \( -name requirements.txt -o -name 'package*.json' \) -print0 |
		sort -z | xargs -0 cat -- | sha256sum | cut -d' ' -f1
}

# provide NAME STAMP GETTER fills a folder, unless its stamp matches already.
provide() {
	local target=$folder/$1
	if [[ -f $target/.stamp && $(<"$target/.stamp") == "$2" ]]; then return; fi
	[[ ! -e $target || -f $target/.stamp || -z $(ls -A -- "$target") ]] ||
		fail "$target contains other files; empty it, or name another folder"
	draft=$(mktemp -d -- "$target.XXXXXX")
	chmod 755 "$draft"
	echo "get-sdks.sh: filling $target" >&2
	"$3"
	echo "$2" >"$draft/.stamp"
	rm -rf -- "$target"
	mv --no-target-directory -- "$draft" "$target"
}

get_python() {
	python3 -m pip --version >/dev/null 2>&1 || fail 'needs pip for python3 (Debian: apt-get install python3-pip)'
	python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: \
		--require-hashes --target "$draft" --requirement "$pins/python/requirements.txt" >&2 ||
		fail 'pip could not install the Python SDK (see above): no network, or a hash that does not match'
	PYTHONPATH=$draft python3 -c 'import openai' || fail 'the Python SDK does not run on this machine'
}

get_node() {
	cp -- "$pins"/node/package.json "$pins"/node/package-lock.json "$draft"
	npm ci --prefix "$draft" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
		fail 'npm could not install the Node SDK (see above): no network, or a hash that does not match'
	(cd -- "$draft" && node -e 'require("openai")') || fail 'the Node SDK does not run on this machine'
}

main "$@"
