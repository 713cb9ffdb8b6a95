#!/usr/bin/env bats
# What is wrong is said in one line: what, why, what to do. The exit status is right, nothing is left.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  scripts=$(realpath "$(dirname "$MOONTAP")/../share/moontap/scripts")
}
teardown() { common_teardown; }

# is_refused STATUS LINE ARGS...: that line and no other, on stderr; only the devices that there were.
is_refused() {
  local expected=$1 line=$2 before
  shift 2
  before=$(ip -o link show)
  status=0
  timeout -s KILL 20 "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
  diff <(echo "moontap: $line") "$BATS_TEST_TMPDIR/err"
  [ ! -s "$BATS_TEST_TMPDIR/out" ]
  [ "$status" = "$expected" ]
  diff <(echo "$before") <(ip -o link show)
}

# lua_refused LINE CODE: CODE comes after two lines: mt, then the device tun0.
lua_refused() {
  printf 'local mt = require "moontap"\nlocal tun = assert(mt.tun { name = "tun0" })\n%s\n' "$2" >"$script"
  is_refused 1 "$script:$1" "$MOONTAP" run "$script"
}

# tun_refused LINE FIELDS: mt.tun with these fields does not work.
tun_refused() {
  printf 'local mt = require "moontap"\nassert(mt.tun { %s })\n' "$2" >"$script"
  is_refused 1 "$script:2: $1" "$MOONTAP" run "$script"
}

@test "a script that is missing: did you mean" {
  is_refused 1 'pnig: no such script (did you mean ping?)' "$MOONTAP" run pnig
  is_refused 1 'wach: no such script (did you mean watch?)' "$MOONTAP" run wach
  is_refused 1 "/no/such.lua: no such script (a file, or one of those in $scripts)" "$MOONTAP" run /no/such.lua
}

@test "a script that is a folder, or no text" {
  is_refused 1 'cannot read /tmp: Is a directory' "$MOONTAP" run /tmp
  printf '\177ELF\2\1\1\0' >"$script"
  is_refused 1 "$script:1: unexpected symbol near '<\\127>'" "$MOONTAP" run "$script"
}

@test "a syntax error: file and line" {
  printf 'local x = 1\nlocal = 2\n' >"$script"
  is_refused 1 "$script:2: <name> expected near '='" "$MOONTAP" run "$script"
}

@test "an error while setting up: file and line, and the device is gone" {
  lua_refused '3: no luck' 'error "no luck"'
  lua_refused "3: attempt to index a nil value (local 'x')" 'local x; x.y = 1'
  lua_refused '3: (error object is a table value)' 'error {}'
  lua_refused '3: (error object is a nil value)' 'error()'
}

@test "an error while the script waits" {
  lua_refused '3: no luck' 'mt.sleep(0.01) error "no luck"'
}

@test "an error of several lines is still one" {
  lua_refused '3: one (-v shows the rest)' 'error "one\ntwo"'
  lua_refused "3: module 'no.such' not found (-v shows the rest)" 'require "no.such"'
}

@test "a path with a space names the place once" {
  script="$BATS_TEST_TMPDIR/my script.lua"
  lua_refused '3: no luck' 'error "no luck"'
}

@test "a device name that another process has" {
  start_moontap ping
  printf 'local mt = require "moontap"\nassert(mt.tun { name = "tun0" })\n' >"$script"
  is_refused 1 "$script:2: tun0: the name is in use by another device or process (choose another name, or see who has it: ip -d link show tun0)" \
    "$MOONTAP" run "$script"
  stop_moontap
}

@test "a device name that is one of another kind" {
  tun_refused 'lo: exists and is a device of another kind (choose another name)' 'name = "lo"'
  ip tuntap add mode tap name tun0
  tun_refused 'tun0: exists and is a device of another kind (choose another name)' 'name = "tun0"'
  ip link del tun0
}

@test "an illegal device name" {
  tun_refused 'mt.tun: name = "sixteen-letters-": a device name has 1 to 15 bytes' 'name = "sixteen-letters-"'
  tun_refused 'mt.tun: name = "": a device name has 1 to 15 bytes' 'name = ""'
  tun_refused "mt.tun: name = \"a/b\": a device name has no '/', ':', '%' or space" 'name = "a/b"'
  tun_refused "mt.tun: name = \"tun%d\": a device name has no '/', ':', '%' or space" 'name = "tun%d"'
  tun_refused 'mt.tun: name = "..": a device cannot be called . or ..' 'name = ".."'
}

@test "no CAP_NET_ADMIN" {
  is_refused 1 "$scripts/ping.lua:4: tun0: not permitted: it needs CAP_NET_ADMIN (run it as root, or with --sandbox)" \
    setpriv --bounding-set -all --inh-caps -all "$MOONTAP" run
}

@test "no /dev/net/tun, in a sandbox or not" {
  why='/dev/net/tun: No such file or directory (as root: modprobe tun; mkdir -p /dev/net; mknod -m 0666 /dev/net/tun c 10 200)'
  mount -t tmpfs none /dev/net
  is_refused 1 "$scripts/ping.lua:4: $why" "$MOONTAP" run
  is_refused 1 "$scripts/ping.lua:4: $why" "$MOONTAP" run --sandbox
  umount /dev/net
}

@test "a bad address" {
  for addr in 1.2.3.400/24 1.2.3.4/33 2001:db8::1/129 2001:db8:::1 example.com 1.2.3 ""; do
    tun_refused "mt.tun: addr: \"$addr\" is no address or prefix (write \"192.168.1.134/24\" or \"2001:db8::1/64\")" \
      "name = 'tun0', addr = '$addr'"
  done
}

@test "a bad filter" {
  lua_refused '3: filter: unknown word "icpm" (did you mean "icmp"?)' 'tun:on("icpm", "drop")'
  lua_refused "3: filter \"icmp and\": can't parse filter expression: syntax error (see pcap-filter(7))" \
    'tun:on("icmp and", "drop")'
}

@test "a host name in a filter asks no name server" {
  lua_refused '3: filter: "example.com" is a name (write addresses, networks and ports as numbers)' \
    'tun:on("host example.com", "drop")'
}

@test "a bad option" {
  is_refused 2 'run: unknown option --sandbx (did you mean --sandbox?)' "$MOONTAP" run --sandbx ping
  is_refused 2 'run: unknown option -z (see moontap help run)' "$MOONTAP" run -z
  is_refused 2 'run: --stats takes no value (write just --stats)' "$MOONTAP" run --stats=yes
  is_refused 2 'run: --trace: filter: unknown word "icpm" (did you mean "icmp"?)' "$MOONTAP" run --trace=icpm
  is_refused 2 "run: --trace: its match goes after = (--trace='tcp port 80')" "$MOONTAP" run --trace 'tcp port 80'
  is_refused 2 "run: --trace: its match goes after = (--trace='{ tcp = true }')" "$MOONTAP" run --trace '{ tcp = true }'
  is_refused 1 'pign: no such script (did you mean ping?)' "$MOONTAP" run --trace pign
}

@test "a bad command" {
  is_refused 2 'unknown command demoo (did you mean demo?)' "$MOONTAP" demoo
  is_refused 2 'unknown command xyzzy (see moontap help)' "$MOONTAP" xyzzy
  is_refused 2 'demo: takes ping, tour or nothing' "$MOONTAP" demo now
}

@test "an unknown key, a bad value" {
  tun_refused 'mt.tun: unknown key "adr" (did you mean "addr"?)' 'name = "tun0", adr = "10.0.0.1/24"'
  tun_refused 'mt.tun: mtu = 99999 is out of range (68 to 65535)' 'name = "tun0", mtu = 99999'
  tun_refused 'mt.tun: mtu must be an integer, not big' 'name = "tun0", mtu = "big"'
  tun_refused 'mt.tun: up must be true or false, not yes' 'name = "tun0", up = "yes"'
  lua_refused '3: mt.reflect: unknown key "excpt" (did you mean "except"?)' 'mt.reflect { excpt = "10.0.0.1" }'
}

@test "a bad action" {
  lua_refused '3: a rule needs an action: a verdict, mt.reflect{} or a function' 'tun:on("icmp")'
  lua_refused '3: "dorp" is no verdict (reply, rewrite, pass, drop or handled)' 'tun:on(nil, "dorp")'
}

@test "a prefix that another link routes names that link, and what to do" {
  ip tuntap add mode tun name home0
  ip addr add 192.168.1.7/24 dev home0
  ip link set home0 up
  is_refused 1 "$scripts/ping.lua:4: tun0: 192.168.1.134/24 is routed by home0 already, as 192.168.1.0/24 (choose another prefix, or --sandbox, or force = true)" \
    "$MOONTAP" run
  run timeout 20 "$MOONTAP" run -q --sandbox ping -- ping -c 1 -w 5 192.168.1.100
  [ "$status" = 0 ]
  printf 'local mt = require "moontap"\nassert(mt.tun { name = "tun0", addr = "192.168.1.134/24", force = true })\nmt.stop()\n' >"$script"
  run timeout 20 "$MOONTAP" run "$script"
  [ "$status" = 0 ]
  [ "$output" = "" ]
  ip link del home0
}

@test "a wider or a narrower route of another link is in the way too; a default route is not" {
  ip tuntap add mode tun name home0
  ip link set home0 up
  ip route add default dev home0
  ip route add 10.0.0.0/8 dev home0
  tun_refused 'tun0: 10.1.2.3/24 is routed by home0 already, as 10.0.0.0/8 (choose another prefix, or --sandbox, or force = true)' \
    'name = "tun0", addr = "10.1.2.3/24"'
  ip route del 10.0.0.0/8 dev home0
  ip route add 10.1.2.128/25 dev home0
  tun_refused 'tun0: 10.1.2.3/24 is routed by home0 already, as 10.1.2.128/25 (choose another prefix, or --sandbox, or force = true)' \
    'name = "tun0", addr = "10.1.2.3/24"'
  run timeout 20 "$MOONTAP" run -q ping -- ping -c 1 -w 5 192.168.1.100
  [ "$status" = 0 ]
  ip link del home0
}
