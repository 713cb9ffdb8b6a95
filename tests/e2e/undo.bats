#!/usr/bin/env bats
# However a run ends, one second later the network is as it was before.

setup() {
  load common
  # Journals of runs elsewhere on this machine are none of ours.
  mountpoint -q /run/moontap || { mkdir -p /run/moontap && mount -t tmpfs none /run/moontap; }
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  world_make
  sleep 1 # what comes up settles
  snapshot >"$BATS_TEST_TMPDIR/before"
}

teardown() {
  ip netns del old 2>/dev/null || true
  ip link del here 2>/dev/null || true
  ip route del blackhole 10.9.51.0/24 2>/dev/null || true
  ip rule del priority 77 2>/dev/null || true
  ip link del tun7 2>/dev/null || true
  common_teardown
}

# What was there before moontap came: links, addresses, routes, a rule, a neighbour, a namespace.
world_make() {
  ip netns add old
  # No address is tentative for a second that would show.
  sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
  ip netns exec old sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
  ip link add here address 02:00:00:00:00:01 mtu 1400 type veth peer name there
  ip addr add 10.9.1.1/24 dev here
  ip addr add 10.9.2.1/24 brd + dev here
  ip -6 addr add fd00:9::1/64 dev here nodad
  ip link set here up
  ip link set there up
  ip route add 10.9.50.0/24 via 10.9.1.9 metric 7 proto static
  ip route add blackhole 10.9.51.0/24
  ip -6 route add fd00:51::/64 via fd00:9::9 metric 77 proto static
  ip neigh add 10.9.1.9 lladdr 02:00:00:00:00:09 dev here nud permanent
  ip rule add priority 77 from 10.9.1.0/24 table 77
  ip -n old link add inside type veth peer name outside
  ip -n old addr add 10.8.1.1/24 dev inside
  ip -n old link set inside up
  ip -n old link set outside up
}

# Left out because they change by themselves: neighbours that the kernel learned, the lifetimes and
# the cache of routes, and the settings that count or are secret.
snapshot_here() {
  ip "$@" -d -json link
  ip "$@" -json addr
  ip "$@" -json route show table all
  ip "$@" -json -6 route show table all
  ip "$@" -json rule
  ip "$@" -json neigh show nud permanent
}

snapshot() {
  snapshot_here
  snapshot_here -n old
  ip netns | sed 's/ .*//' | sort
  sysctl -a -r '^net\.' 2>/dev/null | grep -vE 'stable_secret|_count |random|nf_conntrack'
  ip netns exec old sysctl -a -r '^net\.' 2>/dev/null |
    grep -vE 'stable_secret|_count |random|nf_conntrack'
}

# At the latest after some seconds: who was killed is tidied up after by somebody else.
is_as_before() {
  local _
  for _ in $(seq 10); do
    snapshot >"$BATS_TEST_TMPDIR/after"
    cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" && return 0
    sleep 1
  done
  diff <(sed 's/},{/},\n{/g' "$BATS_TEST_TMPDIR/before") <(sed 's/},{/},\n{/g' "$BATS_TEST_TMPDIR/after")
}

# Changes of every kind, made and then ended by $1.
write() {
  cat >"$script" <<LUA
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = { "10.7.0.1/24", "fd00:7::1/64" }, routes = "10.7.9.0/24" })
local tap = assert(mt.tap { name = "tap0", addr = "10.6.0.1/24", netns = "fresh" })
assert(mt.tap { name = "tap1", addr = "10.6.0.1/24", netns = "old" })
assert(mt.veth({ name = "a0", addr = "10.5.0.1/24" }, { name = "a1", addr = "10.5.0.2/24", netns = "lab" }))
assert(mt.link.add { name = "br0", kind = "bridge" })
mt.link.set("a0", { master = "br0" })
mt.link.set("there", { master = "br0", mtu = 1300 })
mt.link.set("here", { mtu = 1200, mac = "02:00:00:00:00:02" })
mt.addr.add { addr = "10.4.0.1/24", dev = "here" }
mt.addr.add { addr = "fd00:4::1/64", dev = "there" }
mt.addr.del { addr = "10.9.2.1/24", dev = "here" }
mt.route.add { dst = "10.3.0.0/16", dev = "here", metric = 5 }
mt.route.add { dst = "10.2.0.0/16", kind = "unreachable", table = 77 }
mt.route.del { dst = "10.9.50.0/24", via = "10.9.1.9", metric = 7 }
mt.route.del { dst = "10.9.51.0/24", kind = "blackhole" }
mt.neigh.add { dst = "10.9.1.9", lladdr = "02:00:00:00:00:77", dev = "here" }
mt.neigh.add { dst = "10.9.1.8", lladdr = "02:00:00:00:00:78", dev = "here" }
mt.neigh.del { dst = "10.9.1.9", dev = "here" }
mt.sysctl.set("net.ipv4.ip_forward", "1")
mt.sysctl.set("net/ipv4/conf/here/rp_filter", 2)
mt.sysctl.set("net.ipv4.ip_default_ttl", 77, { netns = "old" })
mt.sysctl.set("net.ipv4.ip_default_ttl", 77, { netns = "lab" })
mt.link.set("outside", { mtu = 1300, name = "renamed" }, { netns = "old" })
mt.addr.add { addr = "10.8.2.1/24", dev = "renamed", netns = "old" }
mt.netns.add "second"
mt.link.set("a0", { netns = "second" })
assert(mt.spawn { "sh", "-c", "sleep 1000 & exec sleep 1001", netns = "lab" })
if mt.worker.id == 1 then print(mt.link.get("here").mtu) end
$1
LUA
}

moontap() { run timeout -s KILL 20 "$MOONTAP" run "$script"; }

no_child() {
  for comm in /proc/[0-9]*/cmdline; do
    ! tr '\0' ' ' 2>/dev/null <"$comm" | grep -q '^sleep 100[01] ' || return 1
  done
}

@test "a script that returns or stops leaves the network as it was" {
  for end in 'if mt.worker.count == 1 then tun:close() tap:close() end' 'mt.after(0.1, function() mt.stop(0) end)' 'os.exit(0)'; do
    write "mt.after(0.2, function() mt.stop(0) end) $end"
    moontap
    echo "$end: $status $output"
    [ "$status" = 0 ]
    [ "$output" = 1200 ]
    is_as_before
    no_child
  done
}

@test "an error in the middle of set-up leaves the network as it was" {
  for end in 'error "here"' 'assert(mt.tun { name = "tun0" })' 'assert(mt.attach "nowhere")' \
    'mt.addr.add { addr = "10.4.0.1/24", dev = "here" }' \
    'assert(mt.veth({ name = "b0", netns = "third" }, { name = "b1", addr = "10.9.1.1/24" }))'; do
    write "$end"
    moontap
    echo "$end: $status $output"
    [ "$status" = 1 ]
    is_as_before
    no_child
  done
}

@test "a veth that could not be set up whole is gone at once" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
local a, why = mt.veth({ name = "b0" }, { name = "b1", addr = "10.9.1.1/24" })
assert(not a and not mt.link.get "b0" and not mt.link.get "b1", why)
LUA
  moontap
  [ "$status" = 0 ]
  is_as_before
}

@test "SIGTERM, SIGINT and SIGHUP leave the network as it was" {
  for signal in TERM INT HUP; do
    write ''
    start_moontap "$script" </dev/null
    said 1200
    kill -$signal "$moontap_pid"
    # Without a terminal SIGHUP need not end it.
    if [ "$signal" = HUP ]; then sleep 0.3; kill -TERM "$moontap_pid" 2>/dev/null || true; fi
    wait "$moontap_pid"
    moontap_pid=
    is_as_before
    no_child
  done
}

@test "kill -9 of the host leaves the network as it was" {
  write ''
  start_moontap "$script"
  said 1200
  ip link show br0
  kill -KILL "$moontap_pid"
  wait "$moontap_pid" || true
  moontap_pid=
  is_as_before
  no_child
  [ -z "$(ls /run/moontap 2>/dev/null)" ]
}

@test "kill -9 of host and keeper, then moontap clean: as it was" {
  write ''
  start_moontap "$script"
  said 1200
  keeper=$(cat "/proc/$moontap_pid/task/$moontap_pid/children")
  for pid in $keeper; do children=$(cat "/proc/$pid/task/$pid/children"); done
  # shellcheck disable=SC2086 # words
  kill -KILL $keeper "$moontap_pid" $children
  wait "$moontap_pid" || true
  moontap_pid=
  ip link show br0
  run "$MOONTAP" clean
  [ "$status" = 0 ]
  is_as_before
  [ -z "$(ls /run/moontap 2>/dev/null)" ]
}

@test "setting a link down and up again brings back its addresses and routes" {
  write 'mt.link.set("here", { up = false })
mt.after(0.1, function() mt.stop(0) end)'
  moontap
  echo "$output"
  [ "$status" = 0 ]
  is_as_before
}

@test "a link that moved comes back with its addresses and routes" {
  only_one_worker "the others would look for it where worker 1 found it"
  write 'mt.link.set("here", { netns = "lab" })
mt.after(0.1, function() mt.stop(0) end)'
  moontap
  echo "$output"
  [ "$status" = 0 ]
  is_as_before
}

@test "a persistent tun that was there is used, and is afterwards as it was" {
  only_one_worker "the tun has one queue"
  ip tuntap add dev tun7 mode tun
  ip addr add 10.30.0.1/24 dev tun7
  # What the kernel gives a tun when it first comes up, and leaves it.
  ip link set tun7 up addrgenmode random
  ip link set tun7 down
  snapshot >"$BATS_TEST_TMPDIR/before"
  cat >"$script" <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun7", addr = { "10.30.0.1/24", "10.31.0.1/24", "fd00:31::1/64" }, mtu = 1300 })
assert(mt.link.get("tun7").mtu == 1300)
mt.after(0.1, function() mt.stop(0) end)
LUA
  moontap
  echo "$output"
  [ "$status" = 0 ]
  is_as_before
}

@test "persist = true keeps the device, and the same script runs again" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun7", addr = "10.30.0.1/24", persist = true, owner = 4321, group = 4322 })
tun:close()
LUA
  for _ in 1 2; do
    moontap
    echo "$output"
    [ "$status" = 0 ]
    run ip -d link show tun7
    echo "$output"
    [[ $output == *"persist on"* && $output == *"user 4321"* && $output == *"group 4322"* ]]
    run ip -o -4 addr show dev tun7
    [[ $output == *"10.30.0.1/24"* ]]
  done
}

@test "persist = true that fails half-way keeps nothing" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
assert(mt.tun { name = "tun7", addr = "10.30.0.1/24", persist = true })
assert(mt.tun { name = "tun8", addr = { "10.32.0.1/24", "10.32.0.1/24" }, persist = true })
LUA
  moontap
  echo "$output"
  [ "$status" = 1 ]
  ip link del tun7
  is_as_before
}
