#!/usr/bin/env bats
# Which way packets move is said, can be chosen, and falls back where the machine refuses it.

bats_require_minimum_version 1.5.0

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  cat >"$script" <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = "10.1.1.1/24" })
local tap = assert(mt.tap { name = "tap0", addr = "10.1.2.1/24", io = ... })
tun:on("", mt.reflect {})
tap:on("", mt.reflect {})
print(tun.io, tap.io, mt.pair("eth").io)
LUA
}
teardown() { common_teardown; }

# says OUTPUT OPTIONS...: runs the script around a ping to each device.
says() {
  local expected=$1
  shift
  run timeout -s KILL 20 "$@" -- sh -c 'ping -n -q -c3 -i0.01 -w5 10.1.1.9 && ping -n -q -c3 -i0.01 -w5 10.1.2.9'
  echo "$output"
  [ "$status" = 0 ]
  [ "$(head -1 <<<"$output")" = "$expected" ]
}

@test "tun and tap go over io_uring where the machine has it, and --stats says so" {
  python3 "$TESTS/e2e/without_uring.py" || skip "this machine has no io_uring for us"
  says $'uring\turing\tnil' "$MOONTAP" run --stats "$script"
  [ "$(grep -c 'rx_packets.*  io uring$' <<<"$output")" = 2 ]
}

@test "a port's own io is stronger than --io, which may be a list" {
  python3 "$TESTS/e2e/without_uring.py" || skip "this machine has no io_uring for us"
  says $'epoll\tepoll\tnil' "$MOONTAP" run --io epoll "$script"
  says $'uring\tepoll\tnil' "$MOONTAP" run "$script" epoll
  says $'epoll\turing\tnil' "$MOONTAP" run --io=epoll "$script" uring,epoll
  says $'uring\turing\tnil' "$MOONTAP" run --io uring,epoll "$script"
}

@test "where io_uring is refused, one line at -v says so, and packets go by epoll" {
  for io in "" "--io=uring"; do
    # shellcheck disable=SC2086 # no option, or one
    says $'epoll\tepoll\tnil' python3 "$TESTS/e2e/without_uring.py" 1 "$MOONTAP" run $io "$script"
    ! grep -q io_uring <<<"$output"
  done
  run -0 python3 "$TESTS/e2e/without_uring.py" 1 "$MOONTAP" run -v "$script" -- true
  echo "$output"
  [ "$(grep -c 'tun0: io_uring: Operation not permitted (sysctl kernel.io_uring_disabled, or a seccomp filter); it goes without, by epoll' <<<"$output")" = 1 ]
  run -0 python3 "$TESTS/e2e/without_uring.py" 38 "$MOONTAP" run -v "$script" -- true
  grep -q 'tap0: io_uring: this kernel has none; it goes without, by epoll' <<<"$output"
}

@test "a wrong word is told with those that are known" {
  run -2 "$MOONTAP" run --io uring,epol "$script"
  [ "$output" = 'moontap: run: --io: unknown way "epol" (did you mean epoll? it knows uring, epoll)' ]
  run -2 "$MOONTAP" run --io
  [ "$output" = 'moontap: run: --io needs a value (--io LIST)' ]
  run -1 "$MOONTAP" run "$script" sendfile
  [[ $output == *'mt.tap: io: unknown way "sendfile" (it knows uring, epoll)'* ]]
}
