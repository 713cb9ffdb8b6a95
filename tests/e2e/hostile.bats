#!/usr/bin/env bats
# The hostile set (tests/spec/hostile.lua) through a kernel tap: injected from the kernel's side,
# and the answers compared with the same expectations as in memory.

setup() {
  load common
  common_setup
  inject="$(dirname "$MOONTAP")/../tests/inject"
  list="$BATS_TEST_TMPDIR/list"
  cat >"$BATS_TEST_TMPDIR/tap.lua" <<'END'
local mt <const> = require "moontap"

local tap <const> = assert(mt.tap {
  name = "tap0",
  addr = { "192.0.2.1/24", "2001:db8::1/64" },
  mac = "02:00:00:00:00:01",
  port_mac = "02:00:00:00:00:02",
})
tap:on(nil, mt.reflect {})
END
}
teardown() { common_teardown; }

# The frames of $list meet the tap; prints for each that is answered otherwise than expected its
# name and both answers. $expected - $got: hexadecimal, "." in what is expected stands for any digit.
compare() {
  paste "$list" "$BATS_TEST_TMPDIR/answers" | awk -F '\t' '
    function fits(expected, got,   i, c) {
      if (length(expected) != length(got)) return 0
      for (i = 1; i <= length(got); i++) {
        c = substr(expected, i, 1)
        if (c != "." && c != substr(got, i, 1)) return 0
      }
      return 1
    }
    $2 != $5 && !fits($2, $5) { print $4 ": expected " $2 ", got " $5; bad = 1 }
    END { exit bad }'
}

@test "the hostile set gets its answers on a tap, and each drop its reason" {
  "$MOONTAP" run "$TESTS/e2e/hostile_list.lua" "$TESTS" >"$BATS_TEST_TMPDIR/all"
  read -r last last_answer <"$BATS_TEST_TMPDIR/all"
  tail -n +2 "$BATS_TEST_TMPDIR/all" >"$list"
  [ "$(wc -l <"$list")" -ge 150 ]

  device=tap0 start_moontap --stats "$BATS_TEST_TMPDIR/tap.lua"
  # the kernel, too, has something to say about some answers: it need not ask first to whom
  ip neigh replace 192.0.2.100 lladdr 02:00:00:00:00:02 dev tap0
  ip neigh replace 2001:db8::100 lladdr 02:00:00:00:00:02 dev tap0
  cut -f1 "$list" | "$inject" tap0 "$last" "$last_answer" >"$BATS_TEST_TMPDIR/answers"
  [ "$(wc -l <"$list")" = "$(wc -l <"$BATS_TEST_TMPDIR/answers")" ]
  compare
  stop_moontap
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"

  # "policy" also counts what the kernel says by itself
  for reason in malformed bad_checksum fragment source_route bad_source; do
    expected=$(cut -f3 "$list" | grep -cx "$reason")
    grep -E "dropped:.* $reason $expected(,|$)" "$BATS_TEST_TMPDIR/err"
  done
}
