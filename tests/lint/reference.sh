#!/bin/sh
# docs/fields.md is what the build prints from its tables, and every field says what it is.
# To mend: build/release/reference md >docs/fields.md
set -eu
reference=$(dirname "$MOONTAP")/../reference
[ -x "$reference" ] || { echo "$reference is not built"; exit 1; }
"$reference" md | diff -u docs/fields.md - || { echo "docs/fields.md is not what the tables say: $reference md >docs/fields.md"; exit 1; }
# A row without a sentence or without tshark's name: client_id says why in its sentence.
if "$reference" md | grep -E '^\| `[a-z0-9]+\.' | grep -E '\|  \||\| none \|' | grep -v 'tshark shows only its parts'; then
	echo "the fields above lack a sentence or tshark's name"
	exit 1
fi
