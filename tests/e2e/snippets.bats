#!/usr/bin/env bats
# Every Lua snippet of README.md and docs/ is a script that runs.

setup() { load common; common_setup; }
teardown() { common_teardown; }

# Writes each ```lua block of the file $1 to $BATS_TEST_TMPDIR/N.lua.
extract() {
  awk -v dir="$BATS_TEST_TMPDIR" '
    /^```lua$/ { n++; on = 1; next }
    /^```$/ { on = 0 }
    on { print > (dir "/" n ".lua") }' "$1"
}

run_all() {
  extract "$1"
  n=0
  for snippet in "$BATS_TEST_TMPDIR"/*.lua; do
    [ -e "$snippet" ] || return 0
    run "$MOONTAP" run "$snippet" -- true
    [ "$status" = 0 ] || { echo "$1, snippet $(basename "$snippet"):"; cat "$snippet"; echo "$output"; return 1; }
    n=$((n + 1))
  done
}

@test "README.md" { run_all "$TESTS/../README.md"; [ "$n" -ge 2 ]; }
@test "docs/testing.md" { run_all "$TESTS/../docs/testing.md"; [ "$n" -ge 1 ]; }
@test "docs/policies.md" { run_all "$TESTS/../docs/policies.md"; [ "$n" -ge 1 ]; }
@test "docs/lua-api.md" { run_all "$TESTS/../docs/lua-api.md"; [ "$n" -ge 3 ]; }
