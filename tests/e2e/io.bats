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
teardown() {
  ip netns del far 2>/dev/null || true
  common_teardown
}

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
  [ "$output" = 'moontap: run: --io: unknown way "epol" (did you mean epoll? it knows uring, epoll, xdp, ring, mmsg)' ]
  run -2 "$MOONTAP" run --io
  [ "$output" = 'moontap: run: --io needs a value (--io LIST)' ]
  run -1 "$MOONTAP" run "$script" sendfile
  [[ $output == *'mt.tap: io: unknown way "sendfile" (it knows uring, epoll)'* ]]
}

# One end of a veth with a port, the other in a namespace of its own.
veth() {
  ip netns add far
  ip link add a0 type veth peer name a1 netns far
  ip -n far addr add 10.1.1.2/24 dev a1
  ip -n far link set a1 up
  ip link set a0 up
  cat >"$script" <<'LUA'
local mt = require "moontap"
local port = assert(mt.attach { name = "a0", io = ... })
port:on("icmp or arp", mt.reflect { net = "10.1.1.0/24", except = "10.1.1.2" })
print(port.io)
LUA
}

@test "a packet socket has a ring, or what is chosen" {
  veth
  for io in "" ring mmsg; do
    # shellcheck disable=SC2086 # an argument, or none
    run -0 timeout -s KILL 20 "$MOONTAP" run "$script" $io -- ip netns exec far ping -n -q -c3 -i0.01 -w5 10.1.1.9
    echo "$output"
    grep -qx "${io:-ring}" <<<"$output"
  done
  run -0 timeout -s KILL 20 "$MOONTAP" run --io mmsg,epoll "$script" -- ip netns exec far ping -n -q -c3 -i0.01 -w5 10.1.1.9
  grep -qx mmsg <<<"$output"
  run -1 "$MOONTAP" run "$script" epoll
  [[ $output == *'mt.attach: io: unknown way "epoll" (it knows xdp, ring, mmsg)'* ]]
  ip netns del far
}

@test "what overruns a packet socket is counted, none is lost unseen" {
  veth
  busy_until_sent >>"$script"
  export sent=$BATS_TEST_TMPDIR/sent
  for io in ring mmsg; do
    rm -f "$sent" "$BATS_TEST_TMPDIR/out"
    device=a0 start_moontap --stats "$script" $io
    said busy
    ip netns exec far python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("a1", 0))
for _ in range(12000):
    s.send(bytes(12) + b"\x88\xb5" + bytes(46))'
    touch "$sent"
    said drained
    stop_moontap
    cat "$BATS_TEST_TMPDIR/err"
    all_read_or_lost 12000 "$BATS_TEST_TMPDIR/err"
  done
  ip netns del far
}

# The kernel's queue of a device holds some hundred packets while nobody reads.
@test "what overruns a tun or tap is counted, by io_uring or not, none is lost unseen" {
  echo 'local mt = require "moontap"
local port = assert(mt[arg[1]] { name = "dev0", addr = "10.1.1.1/24", io = arg[2] })
print(port.io)
' >"$script"
  busy_until_sent >>"$script"
  export sent=$BATS_TEST_TMPDIR/sent
  for kind in tun tap; do
    for io in epoll uring; do
      rm -f "$sent" "$BATS_TEST_TMPDIR/out"
      device=dev0 start_moontap --stats "$script" $kind $io
      said busy
      python3 - $kind <<'PY'
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("dev0", 0x0800))
frame = bytes.fromhex("4500001400000000401166d60a0101010a010109")
if sys.argv[1] == "tap":
    frame = bytes(12) + b"\x08\x00" + frame
for _ in range(3000):
    try:
        s.send(frame)
    except OSError:  # ENOBUFS: this one was dropped
        pass
PY
      touch "$sent"
      said drained
      stop_moontap
      cat "$BATS_TEST_TMPDIR/err"
      all_read_or_lost 3000 "$BATS_TEST_TMPDIR/err"
    done
  done
}
