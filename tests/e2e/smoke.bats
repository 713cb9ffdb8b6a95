#!/usr/bin/env bats
# The main job: the installed script answers real pings, and nothing is left at the end.

setup() { load common; common_setup; }
teardown() { common_teardown; }

@test "ping.lua answers 100 of 100 pings, v4" {
  start_moontap --stats
  pings_are_answered 100 -i 0.01 192.168.1.100
  stop_moontap
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}

@test "ping.lua answers 20 of 20 pings, v6" {
  start_moontap --stats
  pings_are_answered 20 -i 0.01 2001:db8:1::77
  stop_moontap
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}
