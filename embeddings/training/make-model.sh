#!/bin/sh
# Trains the built-in embedding model; README.md in this folder describes the steps and
# the sources. Needs python3 (3.11 or later) with venv, and npm.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.tools/model-venv

[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --no-deps --require-hashes -r "$root/embeddings/training/requirements.txt"
exec "$venv/bin/python" -B "$root/embeddings/training/train.py" "$@"
