#!/usr/bin/env bats
# TCP's large segments cross ports that take them uncut, with checksums that are still partial, and
# are cut and completed rightly where they leave for a port that does not.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  err=$BATS_TEST_TMPDIR/err
  transfer_s=60
  for netns in left right; do ip netns add $netns; done
}

teardown() {
  for link in v0 p0; do ip link del $link 2>/dev/null || true; done
  for netns in left right; do ip netns del $netns; done
  common_teardown
}

# ports KIND LEFT RIGHT: `a` is a device in the namespace left, `b` one in right, with these options.
# Each tells how many packets came in by it that are longer than its MTU lets a segment be.
ports() {
  local prefix=24 ns=64 routes4='routes = { "10.1.1.0/24", "fd00::/64" }'
  [ "$1" = tap ] || { prefix=32 ns=128; }
  [ "$1" = tun ] || routes4=
  cat >"$script" <<LUA
local mt = require "moontap"
local a = assert(mt.$1 { name = "a0", netns = "left", addr = { "10.1.1.1/$prefix", "fd00::1/$ns" }, $2, $routes4 })
local b = assert(mt.$1 { name = "b0", netns = "right", addr = { "10.1.1.2/$prefix", "fd00::2/$ns" }, $3, $routes4 })
mt.bridge(a, b)
local large = a:on("greater 3000", function() end)
local large_back = b:on("greater 3000", function() end)
mt.on_end(function() print("large " .. large.hits .. " back " .. large_back.hits) end)
LUA
}

# socket_for a|b NETNS ADDR: that port is a packet socket on v0, whose other end in NETNS has the name
# and the address that the device would have.
socket_for() {
  ip link add v0 type veth peer name "${1}0" netns "$2"
  ip -n "$2" addr add "$3/24" dev "${1}0"
  ip -n "$2" link set "${1}0" up
  ip link set v0 up
  sed -i "s/^local $1 = .*/local $1 = assert(mt.attach { name = \"v0\", promisc = true })/" "$script"
}

# start CODE OPTIONS...: the script of `ports` and CODE.
start() {
  echo "$1
print 'ready'" >>"$script"
  shift
  "$MOONTAP" run --stats "$@" "$script" >"$BATS_TEST_TMPDIR/out" 2>"$err" 3>&- &
  moontap_pid=$!
  said ready
}

# Ends moontap; no namespace has seen a segment or datagram with a wrong checksum.
stop() {
  stop_moontap
  cat "$BATS_TEST_TMPDIR/out" "$err"
  assert_counts_add_up "$err"
  for netns in left right; do
    # shellcheck disable=SC2016 # awk's
    ip netns exec $netns awk '
      FNR == 1 { delete column }
      $1 == "Tcp:" && $2 == "RtoAlgorithm" { for (i = 2; i <= NF; i++) column[$i] = i; next }
      $1 == "Tcp:" { n++; bad += $column["InErrs"] + $column["InCsumErrors"] }
      END { exit bad || !n }' /proc/net/snmp
  done
}

# large_came WHERE LEAST: so many packets longer than a link's came in at one end (large: a, back: b).
large_came() {
  local count
  count=$(sed -En "s/.*\b$1 ([0-9]+).*/\1/p" "$BATS_TEST_TMPDIR/out")
  [ "$count" -ge "$2" ]
}

# What went out by a port: its packets, and the bytes of all of them.
sent() { awk -v name="$1" '$1 == name { at = 1 } at && /tx_packets/ { print $2, $4; exit }' "$err"; }

# sent_large NAME: what went out by it was larger, in the middle, than its MTU.
sent_large() {
  read -r packets bytes <<<"$(sent "$1")"
  [ $((bytes / packets)) -gt 1600 ]
}

# sent_cut NAME: the 2 MB went out by it in pieces of its MTU.
sent_cut() {
  read -r packets bytes <<<"$(sent "$1")"
  [ "$packets" -gt 1300 ]
  [ $((bytes / packets)) -le 1514 ]
}

@test "large segments cross two tuns uncut, both families" {
  ports tun 'offload = true' 'offload = true'
  start ''
  transfer left right 10.1.1.2
  transfer left right fd00::2
  stop
  large_came large 60
  sent_large b0
}

@test "large segments cross two taps uncut, both families" {
  ports tap 'offload = true' 'offload = true'
  start ''
  transfer left right 10.1.1.2
  transfer left right fd00::2
  stop
  large_came large 60
  sent_large b0
}

@test "large segments cross between a tap and a packet socket uncut, both ways" {
  ports tap 'offload = true' 'offload = true'
  socket_for b right 10.1.1.2
  start ''
  transfer left right 10.1.1.2
  transfer right left 10.1.1.1
  ip link del v0
  stop
  large_came large 30
  large_came back 30
  sent_large a0
  sent_large v0
}

@test "a tun without offload gets whole segments of its own size" {
  ports tun 'offload = true' 'offload = false'
  start ''
  transfer left right 10.1.1.2
  transfer left right fd00::2
  stop
  large_came large 60
  sent_cut b0
}

@test "a tap without offload gets whole segments of its own size from a packet socket" {
  ports tap 'offload = false' 'offload = false'
  socket_for a left 10.1.1.1
  start ''
  transfer left right 10.1.1.2
  ip link del v0
  stop
  large_came large 30
  sent_cut b0
}

@test "rules that read and edit large segments leave them right" {
  ports tun 'offload = true' 'offload = true'
  start 'a:on({ ["tcp.dstport"] = 80 }, mt.set { ["tcp.dstport"] = 7777, ["ip.ttl"] = 42 })
b:on({ ["tcp.srcport"] = 7777 }, mt.set { ["tcp.srcport"] = 80 })
local longest, is_shown = 0, false
a:on("tcp", function(pkt)
  longest = math.max(longest, #pkt)
  assert(pkt.ip.len == #pkt and #pkt:bytes() == #pkt and pkt.ip.ttl == 42)
  pkt.tcp.window = pkt.tcp.window // 2
  if #pkt > 3000 and not is_shown then
    is_shown = true
    print(pkt:tree())
  end
end)'
  transfer left right 10.1.1.2 80
  stop
  grep -q 'still to be completed' "$BATS_TEST_TMPDIR/out"
  large_came large 30
  sent_large b0
  [ "$(grep -c 'script_errors [1-9]' "$err")" = 0 ]
}

@test "a rule that edits large segments leaves those right that they are cut into" {
  ports tun 'offload = true' 'offload = false'
  start 'a:on({ ["tcp.dstport"] = 80 }, mt.set { ["tcp.dstport"] = 7777, ["ip.ttl"] = 42 })
b:on({ ["tcp.srcport"] = 7777 }, mt.set { ["tcp.srcport"] = 80 })'
  transfer left right 10.1.1.2 80
  stop
  large_came large 30
  sent_cut b0
}

@test "a flood gives each port what it takes" {
  ports tun 'offload = true' 'offload = false'
  start 'local c = assert(mt.tun { name = "c0", offload = true })
local d = assert(mt.tun { name = "d0", offload = false })
a:on(nil, function() return "pass", { c, d, b } end)'
  transfer left right 10.1.1.2
  stop
  large_came large 30
  sent_large c0
  sent_cut d0
  sent_cut b0
}

@test "a capture has the large segments as they came" {
  ports tun 'offload = true' 'offload = true'
  start '' --capture "$BATS_TEST_TMPDIR/c.pcapng"
  transfer left right 10.1.1.2
  stop
  [ "$(tshark -r "$BATS_TEST_TMPDIR/c.pcapng" -Y 'frame.len > 3000' 2>/dev/null | wc -l)" -ge 30 ]
}

# segmentation NAME WORD: TCP segmentation offload is on or off.
segmentation() { [[ $(ethtool -k "$1") == *"tcp-segmentation-offload: $2"* ]]; }

# persistent OFFLOAD: a script that opens p0, which stays.
persistent() {
  cat >"$script" <<LUA
local mt = require "moontap"
local port = assert(mt.tun { name = "p0", persist = true, offload = $1 })
print("offload", port.offload)
LUA
  device=p0 start_moontap "$script"
  said "offload.$1"
}

# Who opens it next may know of no headers, and would get what it cannot read.
@test "a persistent tun is left without offload, and found without after a kill" {
  persistent true
  segmentation p0 on
  stop_moontap
  segmentation p0 off
  persistent true
  kill -KILL "$moontap_pid"
  wait "$moontap_pid" || true
  segmentation p0 on
  persistent false
  segmentation p0 off
  stop_moontap
}
