#!/usr/bin/env bash
# release.sh [FOLDER] builds a release of the commit that is checked out into FOLDER, by
# default dist/VERSION. VERSION is the commit's tag, or what `git describe` calls it.
#
#   FOLDER/semlb-VERSION-linux-amd64            a static binary
#   FOLDER/semlb-VERSION-linux-amd64.cdx.json   its bill of materials (CycloneDX)
#   FOLDER/semlb-VERSION-linux-arm64 …          the same
#   FOLDER/LICENSE, FOLDER/NOTICE               of semlb and of its embedding model
#   FOLDER/SHA256SUMS                           checksums of all
#
# Everything is built once more from a copy of the commit in another folder, with an empty
# cache, and has to be the same byte by byte; otherwise nothing is left behind. RELEASE_GOCACHE
# names a cache for the second build: quicker, and less of a proof.
set -euo pipefail

readonly platforms='linux/amd64 linux/arm64'

main() {
	(($# <= 1)) || fail 'takes one folder at most'
	cd -- "$(dirname -- "$0")/.."
	[[ -z $(git status --porcelain) ]] || fail 'the working tree differs from the commit: commit or remove what `git status` lists'
	version=$(git describe --tags --always)
	local folder=${1:-dist/$version}
	[[ ! -e $folder ]] || fail "$folder exists already"
	draft=$(mktemp -d)
	trap 'chmod -R u+w -- "$draft"; rm -rf -- "$draft"' EXIT
	make_release "$PWD" "$draft/first"
	mkdir "$draft/copy"
	git archive HEAD | tar -x -C "$draft/copy"
	GOCACHE=${RELEASE_GOCACHE:-$draft/cache} make_release "$draft/copy" "$draft/second"
	compare
	mkdir -p -- "$(dirname -- "$folder")"
	cp -r -- "$draft/first" "$folder"
	echo "release.sh: $folder: built twice, with the same bytes" >&2
	cat -- "$folder/SHA256SUMS"
}

fail() {
	echo "release.sh: $*" >&2
	exit 1
}

# make_release SOURCE FOLDER: nothing of SOURCE's place, of the time and of the repository
# gets into the binaries.
make_release() {
	mkdir -p -- "$2"
	local platform binary
	for platform in $platforms; do
		binary=$2/semlb-$version-${platform/\//-}
		echo "release.sh: building ${binary##*/} in $1" >&2
		(
			cd -- "$1"
			export GOFLAGS=-mod=readonly GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0
			GOOS=${platform%/*} GOARCH=${platform#*/} go build -trimpath -buildvcs=false \
				-ldflags "-s -buildid= -X semlb/cli.release=$version" -o "$binary" .
			go run ./scripts/sbom "$binary" >"$binary.cdx.json"
		)
	done
	cp -- "$1/LICENSE" "$2/LICENSE"
	cp -- "$1/embeddings/static/model/NOTICE" "$2/NOTICE"
	(cd -- "$2" && sha256sum -- * >"$draft/sums" && mv -- "$draft/sums" SHA256SUMS)
}

compare() {
	diff -r -- "$draft/first" "$draft/second" >&2 || fail 'the second build differs from the first: not reproducible'
}

main "$@"
