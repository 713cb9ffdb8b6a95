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

@test "the way that MOONTAP_WAY asks for is what runs" {
  script=$BATS_TEST_TMPDIR/s.lua
  cat >"$script" <<'END'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0" })
print(tun.io, mt.worker.count)
END
  start_moontap "$script"
  case ${MOONTAP_WAY:-} in
  epoll | uring) said "^$MOONTAP_WAY	1$" ;;
  workers) said "	2$" ;;
  *) said "	1$" ;;
  esac
  stop_moontap
}
