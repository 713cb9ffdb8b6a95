#!/usr/bin/env bats
# The host that sees packets and runs scripts has no capability; the keeper has, and outlives it.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
}

teardown() {
  ip link del a0 2>/dev/null || true
  common_teardown
}

no_capability() {
  local sets
  sets=$(grep -h '^Cap' /proc/"$1"/task/*/status)
  echo "$sets"
  [ -n "$sets" ]
  # Without CAP_SETPCAP nobody may empty the bounding set: it gives nothing.
  ! grep -v CapBnd <<<"$sets" | grep -qv '0000000000000000$'
}

@test "no thread of the host has a capability, and the reflector answers" {
  start_moontap ping
  no_capability "$moontap_pid"
  pings_are_answered 20 -i 0.01 192.168.1.100
  no_capability "$moontap_pid"
  stop_moontap
}

@test "without capabilities a script still changes the network, and it is undone" {
  ip link add a0 type veth peer name a1
  cat >"$script" <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = "10.20.0.1/24" })
mt.sleep(0.1)
mt.link.set("a0", { mtu = 1300 })
mt.sysctl.set("net.ipv4.ip_default_ttl", 99)
mt.addr.add { addr = "10.21.0.1/24", dev = "a0" }
print "changed"
LUA
  start_moontap "$script"
  said changed
  no_capability "$moontap_pid"
  [ "$(sysctl -n net.ipv4.ip_default_ttl)" = 99 ]
  [[ $(ip link show a0) == *"mtu 1300"* ]]
  stop_moontap
  [ "$(sysctl -n net.ipv4.ip_default_ttl)" = 64 ]
  [[ $(ip link show a0) == *"mtu 1500"* ]]
  [ -z "$(ip -4 -o addr show a0)" ]
}

@test "the keeper has its own process group and is deaf to SIGINT and SIGTERM" {
  start_moontap ping
  keeper=$(tr -d ' ' <"/proc/$moontap_pid/task/$moontap_pid/children")
  [ "$(cat "/proc/$keeper/comm")" = moontap-keeper ]
  [ "$(awk '{ print $5 }' "/proc/$keeper/stat")" = "$keeper" ]
  [ "$(awk '{ print $5 }' "/proc/$moontap_pid/stat")" != "$keeper" ]
  for signal in INT TERM HUP QUIT; do kill -$signal "$keeper"; done
  sleep 0.2
  kill -0 "$keeper"
  pings_are_answered 5 -i 0.01 192.168.1.100
  stop_moontap
  run kill -0 "$keeper"
  [ "$status" != 0 ]
}

@test "a keeper that was killed is said to be gone, and packets still flow" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = "10.20.0.1/24" })
tun:on("icmp", mt.reflect {})
if mt.worker.id == 1 then mt.every(0.1, function()
  local link, why = mt.link.add { name = "br0", kind = "bridge" }
  if not link then print(why) mt.stop(0) else mt.link.del "br0" end
end) end
LUA
  start_moontap "$script"
  keeper=$(tr -d ' ' <"/proc/$moontap_pid/task/$moontap_pid/children")
  kill -KILL "$keeper"
  wait "$moontap_pid"
  moontap_pid=
  grep -q "the keeper is gone" "$BATS_TEST_TMPDIR/out"
}

@test "a user without capabilities is told which one is missing" {
  as_nobody() {
    run timeout -s KILL 20 setpriv --reuid 65534 --regid 65534 --clear-groups \
      --inh-caps=-all --bounding-set=-all "$MOONTAP" run - <<<"local mt = require 'moontap' $1"
    echo "$1: $output"
  }
  ip link add a0 type veth peer name a1
  as_nobody 'assert(mt.tun { name = "tun0" })'
  [ "$status" = 1 ]
  [[ $output == *"CAP_NET_ADMIN"* || $output == *"chmod 0666 /dev/net/tun"* ]]
  as_nobody 'assert(mt.link.add { name = "br0", kind = "bridge" })'
  [[ $output == *"br0: cannot be made: "*"CAP_NET_ADMIN"*"--sandbox"* ]]
  as_nobody 'mt.link.set("a0", { mtu = 1300 })'
  [[ $output == *"a0: cannot be set: "*"CAP_NET_ADMIN"* ]]
  as_nobody 'mt.addr.add { addr = "10.1.1.1/24", dev = "a0" }'
  [[ $output == *"a0: cannot add 10.1.1.1/24: "*"CAP_NET_ADMIN"* ]]
  as_nobody 'mt.route.add { dst = "10.1.1.0/24", dev = "lo" }'
  [[ $output == *"route 10.1.1.0/24: cannot be added: "*"CAP_NET_ADMIN"* ]]
  as_nobody 'assert(mt.attach "a0")'
  [[ $output == *"a0: "*"CAP_NET_RAW"* ]]
  as_nobody 'mt.sysctl.set("net.ipv4.ip_forward", 1)'
  [[ $output == *"sysctl net/ipv4/ip_forward: "*"as root, or with --sandbox"* ]]
  as_nobody 'mt.netns.add "one"'
  [[ $output == *"netns one: cannot be made: "*"CAP_SYS_ADMIN"* ]]
  as_nobody 'print(#mt.link.list() > 0, #mt.route.list { table = 0 } > 0)'
  [ "$output" = "true	true" ]
}
