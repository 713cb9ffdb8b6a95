#!/usr/bin/env bats
# Frames by AF_XDP: taken from the link before the kernel's stack, only when asked for.

bats_require_minimum_version 1.5.0

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  err=$BATS_TEST_TMPDIR/err
}
teardown() {
  ip netns del far 2>/dev/null || true
  common_teardown
}

# pair_script IO CODE: veth0 with an address here, veth1 without one in the namespace lab, and a port on it.
pair_script() {
  cat >"$script" <<LUA
local mt = require "moontap"
mt.netns.add "lab"
mt.veth({ name = "veth0", addr = "10.1.1.1/24" }, { name = "veth1", netns = "lab" })
local port = assert(mt.attach { name = "veth1", netns = "lab", io = $1 })
local reflect = mt.reflect { net = "10.1.1.0/24", except = "10.1.1.1" }
print("io " .. port.io)
$2
LUA
}

needs_bpf() {
  pair_script '"xdp"' ''
  run -0 "$MOONTAP" run -v "$script" -- true
  [[ $output == *"io xdp"* ]] || skip "no AF_XDP here: $(grep 'goes without' <<<"$output")"
}

@test "pings and floods over AF_XDP are answered, and add up" {
  needs_bpf
  pair_script '"xdp"' 'port:on("", reflect)'
  device=veth0 start_moontap --stats "$script"
  pings_are_answered 5 -i 0.01 10.1.1.100
  pings_are_answered 2000 -f 10.1.1.7
  pings_are_answered 3 -i 0.01 -s 1472 10.1.1.8
  ip -n lab -d link show veth1 | grep -q xdp
  stop_moontap
  cat "$err"
  assert_counts_add_up "$err"
  grep -q 'veth1 .*  io xdp$' "$err"
  grep -q 'tx_packets 2[0-9]* .*tx_dropped 0$' "$err"
}

@test "a frame that the script builds or copies from elsewhere is sent too" {
  needs_bpf
  pair_script '"xdp"' 'local left, right = mt.pair("eth")
right:pass_to(port)
right:on("", "pass")
mt.after(0.1, function()
  left:send(mt.packet { { "eth", dst = "ff:ff:ff:ff:ff:ff", src = "02:00:00:00:00:07" },
    { "arp", opcode = 1, src_mac = "02:00:00:00:00:07", src_ip = "10.1.1.77", dst_ip = "10.1.1.1" } })
end)
port:on({ ["arp.opcode"] = 2, ["arp.dst_ip"] = "10.1.1.77" }, function(pkt)
  print("told " .. tostring(pkt))
  mt.stop()
end)'
  run -0 timeout -s KILL 20 "$MOONTAP" run "$script"
  echo "$output"
  [[ $output == *"told ARP, Reply 10.1.1.1 is-at "* ]]
}

@test "a closed port gives the link back to the kernel" {
  needs_bpf
  pair_script '"xdp"' 'mt.addr.add { dev = "veth1", addr = "10.1.1.2/24", netns = "lab" }
port:on("", "drop")
local function ping(seconds) return mt.spawn({ "ping", "-n", "-q", "-c1", "-W", seconds, "10.1.1.2" }):wait() end
print("open " .. ping(1))
port:close()
print("closed " .. ping(10)) -- the next ARP request may be a second away
mt.stop()'
  run -0 timeout -s KILL 20 "$MOONTAP" run "$script"
  echo "$output"
  [[ $output == *"open 1"* && $output == *"closed 0"* ]]
}

@test "frames that find no slot or no room are counted, each once" {
  needs_bpf
  pair_script '"xdp"' "port:on('', 'drop')
$(busy_until_sent)"
  export sent=$BATS_TEST_TMPDIR/sent
  device=veth0 start_moontap --stats "$script"
  said busy
  python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("veth0", 0))
for _ in range(3000):
    s.send(bytes(12) + b"\x88\xb5" + bytes(46))'
  touch "$sent"
  said drained
  stop_moontap
  cat "$err"
  all_read_or_lost 3000 "$err"
}

# here/there: a pair of which moontap has the end here; there is in a namespace of its own.
foreign_pair() {
  ip netns add far
  ip link add here type veth peer name there netns far
  ip -n far link set there up
  ip link set here up
  cat >"$script" <<'LUA'
local mt = require "moontap"
local port = assert(mt.attach { name = "here", io = "xdp" })
print("io " .. port.io)
LUA
}

checksums_are() { [ "$(ip netns exec far ethtool -k there | grep '^tx-checksumming:')" = "tx-checksumming: $1" ]; }

@test "the other end finishes its checksums itself while the port is there, and is then as it was" {
  needs_bpf
  foreign_pair
  checksums_are on
  for signal in INT KILL; do
    device=here start_moontap -v "$script"
    said "io xdp"
    wait_for checksums_are off
    [ "$(grep -c '^ip netns exec far ethtool -K there tx off$' "$err")" = 1 ]
    kill -$signal "$moontap_pid"
    wait "$moontap_pid" || true
    moontap_pid=
    wait_for checksums_are on
  done
  # what was off already stays off
  ip netns exec far ethtool -K there tx off >/dev/null
  device=here start_moontap -v "$script"
  said "io xdp"
  stop_moontap
  run ! grep -q ethtool "$err"
  checksums_are off
}

@test "nobody gets AF_XDP unasked" {
  pair_script nil ''
  run -0 "$MOONTAP" run -v "$script" -- true
  [[ $output != *"io xdp"* && $output != *"xdp:"* ]]
}

@test "without the right to load BPF one line at -v says so, and a ring does it" {
  pair_script '"xdp,ring"' 'port:on("", reflect)'
  run -0 "$MOONTAP" run -v --sandbox "$script" -- ping -n -q -c3 -i0.01 -w5 10.1.1.9
  echo "$output"
  [ "$(grep -c 'veth1: xdp: veth1: no AF_XDP: .*; it goes without' <<<"$output")" = 1 ]
  [[ $output == *"io ring"* && $output == *"3 received"* ]]
}

@test "a link that is deleted under the port ends it in order" {
  needs_bpf
  pair_script '"xdp"' 'port:on("", reflect)'
  device=veth0 start_moontap "$script"
  pings_are_answered 2 -i 0.01 10.1.1.9
  ip link del veth0
  for _ in $(seq 200); do
    kill -0 "$moontap_pid" 2>/dev/null || break
    sleep 0.02
  done
  run ! kill -0 "$moontap_pid"
  grep -q 'veth1: the device is gone' "$err"
  moontap_pid=
}
