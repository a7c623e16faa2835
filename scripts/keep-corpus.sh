#!/usr/bin/env bash
# keep-corpus.sh [MOST] copies inputs that fuzzing found from Go's build cache into
# testdata/fuzz beside each fuzz target, where `go test` runs them as seeds. It keeps at
# most MOST inputs (128) for each target, evenly spread over the order in which they were
# found, and none larger than 4 KiB. Inputs that are in testdata/fuzz already stay.
set -euo pipefail

most=${1:-128}
cd -- "$(dirname -- "$0")/.."
module=$(go list -m)
found=$(go env GOCACHE)/fuzz/$module
[[ -d $found ]] || { echo "keep-corpus.sh: no fuzzing was done on this machine yet: run make fuzz" >&2; exit 1; }

find "$found" -mindepth 2 -type d -name 'Fuzz*' | sort | while read -r target; do
	package=${target#"$found"/}
	folder=${package%/*}/testdata/fuzz/${package##*/}
	grep -qs "^func ${package##*/}(" "${package%/*}"/*_test.go || continue # the target no longer exists
	mkdir -p -- "$folder"
	room=$((most - $(find "$folder" -type f | wc -l)))
	mapfile -t inputs < <(find "$target" -type f -size -5k -printf '%T@ %f\n' | sort -n | cut -d' ' -f2)
	step=$(((${#inputs[@]} + most - 1) / most))
	for ((i = 0; i < ${#inputs[@]} && room > 0; i += step)); do
		[[ ! -e $folder/${inputs[i]} ]] || continue
		cp -- "$target/${inputs[i]}" "$folder/"
		room=$((room - 1))
	done
	echo "$folder: $(find "$folder" -type f | wc -l) inputs" >&2
done
