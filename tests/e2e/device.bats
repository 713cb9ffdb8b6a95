#!/usr/bin/env bats
# What goes wrong with a tun or tap is said, counted, and outlived; large packets pass whole.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  err=$BATS_TEST_TMPDIR/err
}

teardown() {
  for link in tun0 tap0; do ip link del $link 2>/dev/null || true; done
  common_teardown
}

# device_script KIND OPTIONS: a reflector on tun0 or tap0.
device_script() {
  device=${1}0
  cat >"$script" <<LUA
local mt = require "moontap"
local port = assert(mt.$1 { name = "${1}0", addr = { "10.1.1.1/24", "fd00::1/64" } $2 })
port:on("", mt.reflect { net = { "10.1.1.0/24", "fd00::/64" } })
LUA
}

# The time on a processor that it has used, in hundredths of a second.
cpu_of() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

@test "a tun deleted under a flood closes its port with one line, and the run ends" {
  device_script tun
  start_moontap --stats "$script"
  ping -n -q -f -w 5 10.1.1.9 >/dev/null 2>&1 3>&- &
  flood=$!
  sleep 0.3
  ip link del tun0
  wait "$moontap_pid"
  moontap_pid=
  kill "$flood" 2>/dev/null || true
  wait "$flood" || true
  cat "$err"
  [ "$(grep -c '^moontap: ' "$err")" = 1 ]
  grep -q "^moontap: tun0: the device is gone; the port is closed" "$err"
  assert_counts_add_up "$err"
}

@test "a link that is down: it waits without spinning, sends are counted, then it answers" {
  for kind in tun tap; do
    device_script $kind ', up = true'
    cat >>"$script" <<'LUA'
local is_sent = mt.worker.id > 1
mt.link.on_change(function(change)
  if is_sent or change.name ~= port.name or mt.link.get(port.name).up then return end
  is_sent = true
  port:send(mt.packet(port.kind == "tun" and ("\x45" .. ("\0"):rep(19)) or ("\0"):rep(60),
    port.kind == "tun" and "ip" or "eth"))
  print "down"
end)
LUA
    start_moontap --stats "$script"
    pings_are_answered 2 -i 0.02 10.1.1.9
    ip link set "$device" down
    before=$(cpu_of "$moontap_pid")
    sleep 1
    [ $(($(cpu_of "$moontap_pid") - before)) -lt 20 ]
    said down
    ip link set "$device" up
    pings_are_answered 2 -i 0.02 10.1.1.9
    stop_moontap
    cat "$err"
    grep -q 'tx_dropped 1: down 1' "$err"
  done
}

@test "packets of the largest MTU pass whole, and of one that was raised meanwhile" {
  device_script tun ', mtu = 65535'
  start_moontap "$script"
  pings_are_answered 5 -i 0.01 -M "do" -s 65507 10.1.1.9
  pings_are_answered 5 -i 0.01 -s 3900 10.1.1.9
  pings_are_answered 5 -i 0.01 -s 3941 fd00::9
  pings_are_answered 200 -q -f -s 20000 10.1.1.9
  stop_moontap
  device_script tap ', mtu = 3946'
  start_moontap "$script"
  pings_are_answered 3 -i 0.01 -M "do" -s 3918 10.1.1.9
  ip link set tap0 mtu 65521
  pings_are_answered 3 -i 0.01 -s 65000 10.1.1.9
  stop_moontap
}

@test "a flood of two devices at once loses nothing" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = "10.1.1.1/24" })
local tap = assert(mt.tap { name = "tap0", addr = "10.1.2.1/24" })
tun:on("", mt.reflect {})
tap:on("", mt.reflect {})
LUA
  device=tap0
  start_moontap --stats "$script"
  ping -n -q -f -c 3000 -w 20 10.1.2.9 >"$BATS_TEST_TMPDIR/flood" 3>&- &
  flood=$!
  pings_are_answered 3000 -q -f 10.1.1.9
  wait "$flood"
  stop_moontap
  grep -q '3000 packets transmitted, 3000 received' "$BATS_TEST_TMPDIR/flood"
  [ "$(grep -c '= replied 300[0-9] ' "$err")" = 2 ]
  assert_counts_add_up "$err"
}

@test "a name is free again as soon as its port is closed" {
  only_one_worker "the others would open what worker 1 has closed"
  cat >"$script" <<'LUA'
local mt = require "moontap"
for i = 1, 20 do
  local port = assert(mt.tun { name = "tun0", addr = "10.1.1.1/24" })
  port:on("", mt.reflect {})
  mt.sleep(0.01)
  port:close()
end
print "twenty"
LUA
  run timeout -s KILL 20 "$MOONTAP" run "$script"
  echo "$output"
  [ "$status" = 0 ] && [ "$output" = twenty ]
}

# The kernel takes its time to tear down what a killed process had, the longer the busier it is.
@test "a name that is about to become free is waited for, whatever it was" {
  device_script tun
  cat >"$BATS_TEST_TMPDIR/hold.py" <<'PY'
import fcntl, os, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"tun0", int(sys.argv[1], 16)))  # TUNSETIFF
print("held", flush=True)
sys.stdin.read()
PY
  mkfifo "$BATS_TEST_TMPDIR/end"
  for flags in 1001 1002; do # a tun, a tap
    python3 "$BATS_TEST_TMPDIR/hold.py" $flags <"$BATS_TEST_TMPDIR/end" >"$BATS_TEST_TMPDIR/holder" 3>&- &
    holder=$!
    exec 4>"$BATS_TEST_TMPDIR/end"
    wait_for grep -q held "$BATS_TEST_TMPDIR/holder"
    "$MOONTAP" run "$script" >"$BATS_TEST_TMPDIR/out" 2>"$err" 3>&- 4>&- &
    moontap_pid=$!
    sleep 1
    exec 4>&-
    wait "$holder"
    wait_for link_state tun0 UNKNOWN
    pings_are_answered 2 -i 0.02 10.1.1.9
    [ ! -s "$err" ]
    stop_moontap
  done
}
