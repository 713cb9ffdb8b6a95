#!/bin/sh
# Every name in a luaL_Reg table of bindings/ stands in code quotes in docs/lua-api.md.
set -eu
doc=docs/lua-api.md
[ -f "$doc" ] || { echo "$doc is missing"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is in backquotes or in a fenced block, a word a line.
awk '
/^```/ { is_code = !is_code; next }
is_code { print; next }
{ n = split($0, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' "$doc" |
	tr -cs 'A-Za-z0-9_' '\n' | sort -u >"$work/documented"

# Lines: name, file. Metamethods are no names that scripts say.
for file in bindings/*.c; do
	awk -v file="$file" '
	/luaL_Reg/ && /\[\]/ { is_table = 1 }
	is_table {
		line = $0
		while (match(line, /\{ *"[A-Za-z0-9_]+" *,/)) {
			name = substr(line, RSTART, RLENGTH)
			gsub(/[^A-Za-z0-9_]/, "", name)
			if (name !~ /^__/)
				print name, file
			line = substr(line, RSTART + RLENGTH)
		}
	}
	is_table && /;/ { is_table = 0 }' "$file"
done | sort -u >"$work/names"
[ -s "$work/names" ] || { echo "no luaL_Reg table was found"; exit 1; }

failed=0
while read -r name file; do
	grep -qx "$name" "$work/documented" || { echo "$file: \`$name\` is not in $doc"; failed=1; }
done <"$work/names"
exit "$failed"
