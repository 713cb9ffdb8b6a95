#!/usr/bin/env bats
# moontap check: a script against a recorded network; nothing is touched, nothing is needed.

bats_require_minimum_version 1.5.0
setup() { load common; common_setup; }
teardown() { common_teardown; }

check() { run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$CHECKED" check "$@"; }

# Where an ordinary user may read it.
setup_file() {
  mkdir -p "$BATS_FILE_TMPDIR/bin" "$BATS_FILE_TMPDIR/share/moontap"
  cp "$MOONTAP" "$BATS_FILE_TMPDIR/bin/moontap"
  cp -rL "$(dirname "$MOONTAP")/../share/moontap/scripts" "$BATS_FILE_TMPDIR/share/moontap/"
  chmod -R a+rX "$BATS_RUN_TMPDIR"
  export CHECKED="$BATS_FILE_TMPDIR/bin/moontap"
}

@test "every installed script passes, without privileges" {
  for script in "$BATS_FILE_TMPDIR"/share/moontap/scripts/*.lua; do
    # The doctor has something to find where there is nothing.
    [ "${script##*/}" != doctor.lua ] || continue
    check "$script"
    [ "$status" = 0 ] || { echo "$script: $stderr"; return 1; }
  done
}

@test "--explain: each change as the line that does the same, and the lines do it" {
  cat >"$BATS_TEST_TMPDIR/net.lua" <<'LUA'
local mt = require "moontap"
assert(mt.veth({ name = "veth0", addr = "10.1.1.1/24" }, { name = "veth1", addr = "10.1.1.2/24", netns = "lab" }))
mt.sysctl.set("net.ipv4.ip_forward", "1")
mt.neigh.add { dst = "10.1.1.9", lladdr = "02:00:00:00:00:09", dev = "veth0" }
mt.route.add { dst = "10.2.0.0/16", via = "10.1.1.2", metric = 7 }
mt.route.add { dst = "10.3.0.0/16", hops = { { via = "10.1.1.2", weight = 2 }, { via = "10.1.1.3" } } }
mt.route.add { dst = "10.4.0.0/16", kind = "blackhole" }
assert(mt.link.add { name = "br0", kind = "bridge" })
mt.link.set("veth0", { mtu = 1400, mac = "02:00:00:00:00:77" })
mt.sleep(5)
mt.addr.add { addr = "fd00::1/64", dev = "br0" }
assert(mt.route.get "10.2.3.4".via == "10.1.1.2")
assert(mt.link.get "veth0".mtu == 1400)
LUA
  check --explain "$BATS_TEST_TMPDIR/net.lua"
  [ "$status" = 0 ]
  diff - <(echo "$output") <<'END'
ip netns add lab
ip link add veth0 type veth peer name veth1
ip link set veth1 netns lab
ip addr add 10.1.1.1/24 dev veth0
ip link set veth0 up
ip -n lab addr add 10.1.1.2/24 dev veth1
ip -n lab link set veth1 up
sysctl -w net.ipv4.ip_forward=1
ip neigh replace 10.1.1.9 lladdr 02:00:00:00:00:09 dev veth0
ip route add 10.2.0.0/16 metric 7 via 10.1.1.2
ip route add 10.3.0.0/16 nexthop via 10.1.1.2 weight 2 nexthop via 10.1.1.3 weight 1
ip route add blackhole 10.4.0.0/16
ip link add br0 type bridge
ip link set br0 up
ip link set veth0 mtu 1400 address 02:00:00:00:00:77
ip addr add fd00::1/64 dev br0 nodad
END
  # Nothing was touched; typed in, the lines make that network.
  [ "$(ip -o link | wc -l)" = 1 ]
  echo "$output" | sh -e >/dev/null
  ip route show 10.2.0.0/16 | grep -q 'via 10.1.1.2 dev veth0 metric 7'
  ip link show veth0 | grep -q 'mtu 1400'
  ip -n lab addr show veth1 | grep -q 10.1.1.2/24
  ip link del veth0
  ip link del br0
  ip netns del lab
  sysctl -q -w net.ipv4.ip_forward=0
}

@test "run -v says the same lines as they are made" {
  run --separate-stderr "$MOONTAP" run -v ping -- true
  [[ $stderr == *"ip tuntap add dev tun0 mode tun"*"ip addr add 192.168.1.134/24 dev tun0"*"ip link set tun0 up"* ]]
}

@test "what is wrong is said with its place" {
  echo 'require "moontap".link.set("nope", { up = true })' >"$BATS_TEST_TMPDIR/bad.lua"
  check "$BATS_TEST_TMPDIR/bad.lua"
  [ "$status" = 1 ]
  [ "$stderr" = "moontap: $BATS_TEST_TMPDIR/bad.lua:1: nope: no such link (see mt.link.list() or ip link)" ]
  check
  [ "$status" = 2 ]
}
