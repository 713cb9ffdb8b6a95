#!/bin/sh
# The first scripts that one reads: under 25 lines, their purpose in the first, no wide lines.
set -eu
cd "$(dirname "$0")/../.."
bad=0
for script in scripts/ping.lua scripts/ping_by_hand.lua scripts/watch.lua; do
	lines=$(wc -l <"$script")
	[ "$lines" -lt 25 ] || { echo "$script has $lines lines"; bad=1; }
done
# The examples can be read at one go; the tour tells a story.
for script in scripts/*.lua; do
	lines=$(wc -l <"$script")
	most=60
	[ "$script" != scripts/veth_tour.lua ] || most=70
	if [ "$lines" -lt 8 ] || [ "$lines" -gt "$most" ]; then
		echo "$script has $lines lines"
		bad=1
	fi
done
for script in scripts/*.lua scripts/moontap/*.lua scripts/moontap/*/*.lua; do
	head -n 1 "$script" | grep -q '^-- [A-Z].*\.' || { echo "$script:1: no sentence of purpose"; bad=1; }
	! grep -nE '.{101}|	' "$script" || { echo "$script: a tab or a line over 100 columns"; bad=1; }
done
if command -v luacheck >/dev/null; then
	luacheck --std lua54 --no-color -q scripts || bad=1
fi
exit $bad
