#!/usr/bin/env bats
# What goes wrong with links, packet sockets and netlink is said, counted, and outlived.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  ip netns add far
  ip netns exec far sysctl -q -w net.ipv4.ping_group_range="0 2147483647"
  ip link add a0 type veth peer name a1 netns far
  ip -n far addr add 10.1.1.2/24 dev a1
  ip -n far link set a1 up
  ip link set a0 up
  device=a0
}

teardown() {
  [ -z "${churn:-}" ] || kill "$churn" 2>/dev/null || true
  for link in a0 b0 tun0; do ip link del $link 2>/dev/null || true; done
  ip netns del far 2>/dev/null || true
  common_teardown
}

write() { printf 'local mt = require "moontap"\n%s\n' "$1" >"$script"; }

far_pings() { ip netns exec far ping -n -c "$1" -i 0.02 -w 10 10.1.1.9; }

# The time on a processor that it has used, in hundredths of a second.
cpu_of() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

reflect='local port = assert(mt.attach "a0")
port:on(nil, mt.reflect { net = "10.1.1.0/24" })
print "ready"'

@test "own end down and up again: it waits without spinning, then answers" {
  write "$reflect"
  start_moontap "$script"
  said ready
  far_pings 2
  ip link set a0 down
  before=$(cpu_of "$moontap_pid")
  sleep 1
  [ $(($(cpu_of "$moontap_pid") - before)) -lt 20 ]
  ip link set a0 up
  far_pings 2
  stop_moontap
}

@test "a port that was busy waits again without spinning" {
  write "$reflect
mt.after(0.3, function()
  local stop = mt.now() + 0.3
  while mt.now() < stop do end
end)"
  start_moontap "$script"
  said ready
  ip netns exec far ping -n -q -c 300 -i 0.003 -w 10 10.1.1.9
  before=$(cpu_of "$moontap_pid")
  sleep 1
  [ $(($(cpu_of "$moontap_pid") - before)) -lt 20 ]
  far_pings 2
  stop_moontap
}

# What the kernel does with a frame whose peer is down depends on the moment. Until it has noted that
# the carrier went it refuses (ENOBUFS, counted as full); that is for an instant, or up to a second
# where both ends have the same ifindex. From then on it takes every frame and drops it.
@test "a send is counted once, as sent or by its reason: queue full, peer down, own end down" {
  ip netns exec far nft -f - <<'NFT'
table netdev t {
  counter seen { }
  chain c {
    type filter hook ingress device "a1" priority 0
    ether type 0x88b5 counter name "seen"
  }
}
NFT
  write 'local port = assert(mt.attach "a0")
local bytes = string.rep("\255", 6) .. "\2\0\0\0\0\1\x88\xb5" .. string.rep("x", 46)
local sent = 0
local function sh(...) assert(mt.spawn { ... }:wait() == 0) end
if mt.worker.id > 1 then return end
-- How many of 20 frames were sent, found the queue full, found the link down, were not taken.
local function shoot()
  local before = port.counters
  for _ = 1, 20 do port:send(bytes) end
  sent = sent + 20
  local now
  repeat
    mt.sleep(0.01)
    now = port.counters
  until now.tx_packets + now.tx_dropped >= sent
  assert(now.tx_packets + now.tx_dropped == sent)
  local function more(reason) return (now.tx_drops[reason] or 0) - (before.tx_drops[reason] or 0) end
  return now.tx_packets - before.tx_packets, more "full", more "down", more "refused"
end
local function is(name, ...) print(name, ...) end
is("up", shoot())
sh("tc", "qdisc", "add", "dev", "a0", "root", "bfifo", "limit", 10)
is("full", shoot())
sh("tc", "qdisc", "del", "dev", "a0", "root")
sh("ip", "-n", "far", "link", "set", "a1", "down")
local taken, full, _, refused
repeat
  taken, full, _, refused = shoot()
  assert(taken + full + refused == 20)
until (port.io == "xdp" and refused or taken) == 20
is("peer down", shoot())
sh("ip", "link", "set", "a0", "down")
is("down", shoot())
mt.stop(0)'
  run timeout -s KILL 20 "$MOONTAP" run "$script"
  echo "$output"
  [ "$status" = 0 ]
  if [ "${MOONTAP_WAY:-}" = xdp ]; then
    # It passes the queue by, and is told when the carrier is gone.
    expected=$'up\t20\t0\t0\t0\nfull\t20\t0\t0\t0\npeer down\t0\t0\t0\t20\ndown\t0\t0\t20\t0' seen=40
  else
    expected=$'up\t20\t0\t0\t0\nfull\t0\t20\t0\t0\npeer down\t20\t0\t0\t0\ndown\t0\t0\t20\t0' seen=20
  fi
  [ "$output" = "$expected" ]
  run ip netns exec far nft list counter netdev t seen
  [[ $output == *"packets $seen "* ]]
}

@test "a link deleted under its port closes it with one line, and the run ends" {
  write "$reflect"
  start_moontap "$script"
  said ready
  ip link del a0
  wait "$moontap_pid"
  moontap_pid=
  [ "$(cat "$BATS_TEST_TMPDIR/err")" = "moontap: a0: the device is gone; the port is closed" ]
}

@test "the far namespace deleted takes the pair along, and the run ends" {
  write 'local port = assert(mt.attach { name = "a1", netns = "far" }) print "ready"'
  start_moontap "$script"
  said ready
  ip link del a0
  wait "$moontap_pid"
  moontap_pid=
  [ "$(cat "$BATS_TEST_TMPDIR/err")" = "moontap: a1: the device is gone; the port is closed" ]
}

@test "a link made again under the same name can be attached again" {
  write "$reflect
mt.every(1, function() end)
mt.link.on_change(function(change)
  if change.name == 'a0' and not again then
    again = assert(mt.attach 'a0')
    again:on(nil, mt.reflect { net = '10.1.1.0/24' })
    print 'again'
  end
end)"
  sed -i 's/^local mt/local again\nlocal mt/' "$script"
  start_moontap "$script"
  said ready
  ip link del a0
  said "is gone"
  ip link add a0 type veth peer name a1 netns far
  ip -n far addr add 10.1.1.2/24 dev a1
  ip -n far link set a1 up
  ip link set a0 up
  said again
  far_pings 2
  stop_moontap
}

@test "a packet over the MTU is not sent, and counted" {
  write 'local port = assert(mt.attach "a0")
if mt.worker.id > 1 then return end
port:send(string.rep("\255", 6) .. "\2\0\0\0\0\1\8\0" .. string.rep("x", 1501))
port:send(string.rep("\255", 6) .. "\2\0\0\0\0\1\8\0" .. string.rep("x", 1500))
mt.after(0.2, function() mt.stop(0) end)'
  run timeout -s KILL 20 "$MOONTAP" run --stats "$script"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"tx_packets"*" 1"* && $output == *"too_long"* ]]
}

# A TCP transfer of 2 MB from the first namespace to far, over a bridge that moontap is: packets of
# sockets come with partial checksums and ten times the MTU.
tcp_through() {
  ip netns add one
  ip link add b0 type veth peer name b1 netns one
  ip -n one addr add 10.1.1.1/24 dev b1
  ip -n one link set b1 up
  ip link set b0 up
  write 'local a, b = assert(mt.attach "a0"), assert(mt.attach "b0")
a:pass_to(b) b:pass_to(a)
local large = b:on("greater 3000", function() end)
mt.on_end(function() print("large", large.hits) end)
a.default = "pass" b.default = "pass"
print "ready"'
  start_moontap --stats "$script"
  said ready
  transfer one far 10.1.1.2
  stop_moontap
  ip netns del one
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}

@test "partial checksums and frames of many segments pass between packet sockets" {
  tcp_through
  cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
  large=$(awk '$1 == "large" { sum += $2 } END { print sum }' "$BATS_TEST_TMPDIR/out")
  # The other end of an AF_XDP port cuts and sums its packets itself.
  [ "${MOONTAP_WAY:-}" != xdp ] || { [ "$large" = 0 ] && return; }
  # What came in by b0 uncut went out by a0 uncut.
  [ "$large" -ge 30 ]
  awk '/^a0/ { at = 1 } at && /tx_packets/ { exit $4 / $2 < 3000 }' "$BATS_TEST_TMPDIR/err"
}

@test "a VLAN tag that the kernel took off is in the packet" {
  ip -n far link add link a1 name a1.5 type vlan id 5 2>/dev/null ||
    far_tag=1
  write 'local port = assert(mt.attach "a0")
port:on(function(pkt)
  if pkt.vlan and pkt.vlan.id == 5 then print("vlan", pkt.vlan.id, pkt.arp and pkt.arp.dst_ip) end
end, "drop")
print "ready"'
  start_moontap "$script"
  said ready
  if [ -n "${far_tag:-}" ]; then
    cat >"$BATS_TEST_TMPDIR/tag.py" <<'PY'
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("a1", 0))
arp = bytes.fromhex("0001080006040001020000000001") + bytes([10, 5, 5, 1]) + bytes(6) + bytes([10, 5, 5, 9])
s.send(b"\xff" * 6 + bytes.fromhex("020000000001") + bytes.fromhex("81000005") + bytes.fromhex("0806") + arp)
PY
    ip netns exec far python3 "$BATS_TEST_TMPDIR/tag.py"
  else
    ip -n far addr add 10.5.5.1/24 dev a1.5
    ip -n far link set a1.5 up
    ip netns exec far ping -n -c 1 -w 1 10.5.5.9 || true
  fi
  said 'vlan	5	10.5.5.9'
  stop_moontap
}

@test "dumps under churn are whole" {
  ip netns exec far bash -c 'for i in $(seq 4000); do ip link add c0 type ifb; ip link del c0; done' >/dev/null 2>&1 3>&- &
  churn=$!
  write 'for _ = 1, 200 do
  local links = assert(mt.link.list { netns = "far" })
  local lo, a1, seen = 0, 0, {}
  for _, link in ipairs(links) do
    assert(not seen[link.ifindex], "twice")
    seen[link.ifindex] = true
    if link.name == "lo" then lo = lo + 1 elseif link.name == "a1" then a1 = a1 + 1 end
  end
  assert(lo == 1 and a1 == 1)
  assert(#assert(mt.route.list { table = 0, netns = "far" }) > 2)
end
if mt.worker.id == 1 then print "whole" end'
  run timeout -s KILL 60 "$MOONTAP" run "$script"
  kill "$churn" || true
  churn=
  echo "$output"
  [ "$output" = whole ]
}

@test "events that were lost are made up for" {
  # Busy for two seconds, while more changes come than the socket holds; a0 goes among them.
  write "$reflect
mt.after(0.1, function()
  print 'busy'
  local start = os.time()
  while os.time() < start + 3 do end
end)"
  start_moontap "$script"
  said busy
  ip -batch - <<<"$(for i in $(seq 1500); do echo "link set lo mtu $((60000 + i))"; done)"
  ip link del a0
  ip link set lo mtu 65536
  wait_for eval '! kill -0 "$moontap_pid"'
  run kill -0 "$moontap_pid"
  [ "$status" != 0 ]
  wait "$moontap_pid"
  moontap_pid=
  grep -q "a0: the device is gone; the port is closed" "$BATS_TEST_TMPDIR/err"
}

@test "errors name the object, the kernel's words and what to do" {
  lua_refused() {
    run timeout -s KILL 20 "$MOONTAP" run - <<<"local mt = require 'moontap' $1"
    echo "$1: $output"
    [ "$status" = 1 ]
  }
  lua_refused 'assert(mt.attach "aO")'
  [[ $output == *"aO: no such link (did you mean a0?)"* ]]
  lua_refused 'assert(mt.tun { name = "a0" })'
  [[ $output == *"a0: exists and is a device of another kind"* ]]
  lua_refused 'assert(mt.veth({ name = "a0" }, { name = "z1" }))'
  [[ $output == *"a0: exists already (choose another name, or see it: ip -d link show a0)"* ]]
  lua_refused 'mt.link.set("lo", { netns = "far" })'
  [[ $output == *"lo: cannot be set: Invalid argument: The interface netns is immutable"* ]]
  lua_refused 'mt.link.set("a0", { master = "lo" })'
  [[ $output == *"a0: cannot be set: "* ]]
  lua_refused 'mt.route.add { dst = "10.2.0.0/16", via = "10.99.0.1", dev = "a0" }'
  [[ $output == *"Nexthop has invalid gateway"* ]]
  lua_refused 'mt.neigh.add { dst = "10.1.1.9", lladdr = "02:00:00:00:00:09", dev = "zz" }'
  [[ $output == *"zz: no such link"* ]]
  lua_refused 'mt.sysctl.set("net.ipv4.ip_forwrd", 1)'
  [[ $output == *"ip_forwrd: there is none of that name"* ]]
  lua_refused 'assert(mt.link.add { name = "x", kind = "vxlan" })'
  [[ $output == *"x: cannot be made: "* ]]
}
