#!/usr/bin/env bash
# keep-corpus.sh [MOST] copies what fuzzing found interesting from Go's build cache into
# testdata/fuzz beside each fuzz target, where `go test` runs it as seeds and git keeps
# it. At most MOST inputs (128) are kept for a target, spread evenly over the order in
# which they were found, and none above 4 KiB. What is kept already stays.
set -euo pipefail

most=${1:-128}
cd -- "$(dirname -- "$0")/.."
module=$(go list -m)
found=$(go env GOCACHE)/fuzz/$module
[[ -d $found ]] || { echo "keep-corpus.sh: nothing was fuzzed on this machine yet: make fuzz" >&2; exit 1; }

find "$found" -mindepth 2 -type d -name 'Fuzz*' | sort | while read -r target; do
	package=${target#"$found"/}
	folder=${package%/*}/testdata/fuzz/${package##*/}
	grep -qs "^func ${package##*/}(" "${package%/*}"/*_test.go || continue # a target that is gone
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
