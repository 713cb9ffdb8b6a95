#!/usr/bin/env bats
# The tools that people ask hosts with, against the reflector on a tap and on a tun: they see what
# they see of a kernel's host. A tool that is missing fails its test.

host=192.168.1.100
host6=2001:db8:1::77

setup() { load common; common_setup; }
teardown() { common_teardown; }

on_tap() { device=tap0 start_moontap --stats ping_tap; }
on_tun() { device=tun0 start_moontap --stats ping; }

stop_and_check() {
  stop_moontap
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}

# says PATTERN: what `run` captured has a line like it, and the tool was content.
says() {
  echo "$output"
  [ "$status" = 0 ]
  grep -qE "$1" <<<"$output"
}

ping_both() {
  run ping -c 10 -i 0.02 -w 20 $host
  says '^10 packets transmitted, 10 received, 0% packet loss'
  [[ $output != *[Dd][Uu][Pp]* && $output != *wrong* ]]
  run ping -6 -c 10 -i 0.02 -w 20 $host6
  says '^10 packets transmitted, 10 received, 0% packet loss'
  run ping -f -q -s 1200 -p a5c3 -c 200 -w 20 $host
  says '^200 packets transmitted, 200 received, 0% packet loss'
}

fping_both() {
  run fping -c 5 -p 20 -t 3000 $host
  says "^$host : xmt/rcv/%loss = 5/5/0%"
  run fping -6 -c 5 -p 20 -t 3000 $host6
  says "^$host6 : xmt/rcv/%loss = 5/5/0%"
}

nping_icmp() {
  run nping --icmp -c 3 --delay 50ms $host
  says 'Raw packets sent: 3 .*Rcvd: 3 .*Lost: 0 '
  [ "$(grep -c "^RCVD .*\[$host > 192.168.1.134 Echo reply (type=0/code=0)" <<<"$output")" = 3 ]
}

hping3_icmp() {
  run hping3 -1 -c 3 -i u50000 -d 100 $host
  says '^3 packets transmitted, 3 packets received, 0% packet loss'
  [ "$(grep -c "^len=128 ip=$host ttl=64 id=[0-9]* icmp_seq=" <<<"$output")" = 3 ]
}

# One hop, at once: TTL 1 reaches it.
traceroute_both() {
  run traceroute -n -I -w 3 $host
  says "^ 1  $host  [0-9.]+ ms  [0-9.]+ ms  [0-9.]+ ms$"
  [ "$(wc -l <<<"$output")" = 2 ]
  run traceroute -6 -n -I -w 3 $host6
  says "^ 1  $host6  [0-9.]+ ms  [0-9.]+ ms  [0-9.]+ ms$"
  [ "$(wc -l <<<"$output")" = 2 ]
}

mtr_both() {
  run mtr -n -r -c 2 -i 0.2 -G 1 $host
  says "^  1\.\|-- $host +0\.0% +2 "
  run mtr -6 -n -r -c 2 -i 0.2 -G 1 $host6
  says "^  1\.\|-- $host6 +0\.0% +2 "
}

@test "ping and ping -6 on a tap" { on_tap; ping_both; stop_and_check; }
@test "ping and ping -6 on a tun" { on_tun; ping_both; stop_and_check; }
@test "fping on a tap" { on_tap; fping_both; stop_and_check; }
@test "fping on a tun" { on_tun; fping_both; stop_and_check; }
@test "nping on a tap" { on_tap; nping_icmp; stop_and_check; }
@test "nping on a tun" { on_tun; nping_icmp; stop_and_check; }
@test "hping3 on a tap" { on_tap; hping3_icmp; stop_and_check; }
@test "hping3 on a tun" { on_tun; hping3_icmp; stop_and_check; }
@test "traceroute -I on a tap" { on_tap; traceroute_both; stop_and_check; }
@test "traceroute -I on a tun" { on_tun; traceroute_both; stop_and_check; }
@test "mtr on a tap" { on_tap; mtr_both; stop_and_check; }
@test "mtr on a tun" { on_tun; mtr_both; stop_and_check; }

# The MAC that the script said it answers as.
our_mac() { sed -n 's/^answering pings on tap0, as \([0-9a-f:]*\) .*/\1/p' "$BATS_TEST_TMPDIR/err"; }

@test "arping on a tap: requests and probes" {
  on_tap
  run arping -c 3 -w 3 -W 0.05 -i tap0 $host
  says '^3 packets transmitted, 3 packets received, +0% unanswered \(0 extra\)'
  [ "$(grep -c "from $(our_mac) ($host)" <<<"$output")" = 3 ]
  run arping -0 -c 1 -w 3 -i tap0 $host
  says '^1 packets transmitted, 1 packets received, +0% unanswered \(0 extra\)'
  # nobody is at the broadcast address
  run arping -0 -c 1 -w 1 -i tap0 192.168.1.255
  [[ $output == *" 0 packets received"* ]]
  stop_and_check
}

@test "ndisc6 on a tap" {
  on_tap
  run ndisc6 -n -m -w 3000 $host6 tap0
  says "^Target link-layer address: $(our_mac | tr a-f A-F)"
  [ "$(grep -c ' from ' <<<"$output")" = 1 ]
  run ndisc6 -n -r 1 -w 500 2001:db8:2::77 tap0
  [ "$status" != 0 ]
  stop_and_check
}

# What a tool prints, without what differs from host to host and from run to run.
shape() {
  sed -E -e 's/10\.9\.9\.100|192\.168\.1\.100|fd09::77|2001:db8:1::77/HOST/g' -e 's/veth0|tap0|tun0/LINK/g' \
    -e 's/[0-9]+\.[0-9]+/T/g' -e 's/time [0-9]+ms/time T/' -e 's/time=[0-9]+ ms/time=T ms/' -e 's/id=[0-9]+/id=N/'
}

ask() {
  local v4=$1 v6=$2
  ping -c 3 -i 0.02 -w 20 "$v4"
  ping -6 -c 3 -i 0.02 -w 20 "$v6"
  ping -c 1 -s 0 -w 20 "$v4"
  ping -c 1 -t 1 -w 20 "$v4"
  fping -q -c 2 -p 20 -t 3000 "$v4" 2>&1
  traceroute -n -I -w 3 "$v4"
  traceroute -6 -n -I -w 3 "$v6"
  hping3 -1 -c 2 -i u50000 "$v4" 2>/dev/null
}

@test "the tools print of the reflector what they print of a kernel's host" {
  ip netns add far
  ip link add veth0 type veth peer name veth1 netns far
  ip addr add 10.9.9.134/24 dev veth0
  ip addr add fd09::134/64 dev veth0 nodad
  ip link set veth0 up
  ip -n far addr add 10.9.9.100/24 dev veth1
  ip -n far addr add fd09::77/64 dev veth1 nodad
  ip -n far link set veth1 up
  ask 10.9.9.100 fd09::77 | shape >"$BATS_TEST_TMPDIR/kernel"
  ip link del veth0
  ip netns del far

  on_tap
  ask $host $host6 | shape >"$BATS_TEST_TMPDIR/tap"
  stop_and_check
  on_tun
  ask $host $host6 | shape >"$BATS_TEST_TMPDIR/tun"
  stop_and_check
  [ "$(wc -l <"$BATS_TEST_TMPDIR/kernel")" -gt 20 ]
  diff -u "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/tap"
  diff -u "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/tun"
}

@test "ping -R shows our address in the recorded route" {
  on_tun
  run ping -n -R -c 1 -w 10 $host
  says '^RR: .*192\.168\.1\.134'
  grep -A 1 '^RR:' <<<"$output" | tail -1 | grep -qE "^[[:space:]]+${host}\$"
  stop_and_check
}

@test "ping -T tsonly and tsandaddr get an answer" {
  on_tun
  run ping -n -T tsonly -c 1 -w 10 $host
  says '^1 packets transmitted, 1 received'
  grep -qE '^TS:[[:space:]]+[0-9]+ absolute' <<<"$output"
  run ping -n -T tsandaddr -c 1 -w 10 $host
  says '^1 packets transmitted, 1 received'
  grep -qE "^[[:space:]]+${host}[[:space:]]" <<<"$output"
  stop_and_check
}

@test "a request in fragments is unanswered, and each is counted" {
  on_tun
  run ping -c 1 -W 1 -s 65507 $host
  [[ $output == *"1 packets transmitted, 0 received"* ]]
  stop_and_check
  # 65515 bytes of ICMP in parts of 1480
  grep -E 'dropped:.* fragment 45(,|$)' "$BATS_TEST_TMPDIR/err"
}

@test "the longest request is answered whole on a tun of mtu 65535" {
  cat >"$BATS_TEST_TMPDIR/big.lua" <<'END'
local mt <const> = require "moontap"
local tun <const> = assert(mt.tun { name = "tun0", addr = { "192.168.1.134/24", "2001:db8:1::134/64" }, mtu = 65535 })
tun:on(nil, mt.reflect {})
END
  start_moontap --stats "$BATS_TEST_TMPDIR/big.lua"
  run ping -c 3 -i 0.05 -w 20 -s 65507 $host
  says '^3 packets transmitted, 3 received, 0% packet loss'
  run ping -6 -c 3 -i 0.05 -w 20 -s 65487 $host6
  says '^3 packets transmitted, 3 received, 0% packet loss'
  stop_and_check
  run grep 'fragment [0-9]' "$BATS_TEST_TMPDIR/err"
  [ "$status" = 1 ]
}

# answer_for ADDR: what a solicitation for it, by somebody else on the link, is answered.
answer_for() {
  local last answer
  "$MOONTAP" run "$TESTS/e2e/solicit_list.lua" "$TESTS" "$1" fd00::77 >"$BATS_TEST_TMPDIR/ask"
  read -r last answer < <(tail -1 "$BATS_TEST_TMPDIR/ask")
  head -1 "$BATS_TEST_TMPDIR/ask" | cut -f1 | "$(dirname "$MOONTAP")/../tests/inject" tap0 "$last" "$answer"
}

# Until the kernel has done with its probes for ADDR.
await_dad() {
  for _ in $(seq 100); do
    ip -6 addr show dev tap0 to "$1" tentative | grep -q . || break
    sleep 0.1
  done
  ip -6 addr show dev tap0
  ip -6 addr show dev tap0 to "$1" -tentative -dadfailed | grep -q .
}

# await ADDR answered|silent: until the reflector is that to solicitations for ADDR.
await() {
  for _ in $(seq 50); do
    case "$2 $(answer_for "$1")" in
      "silent -" | "answered "??*) return 0 ;;
    esac
    sleep 0.1
  done
  return 1
}

@test "the kernel's addresses pass duplicate-address detection, and are its own while it has them" {
  cat >"$BATS_TEST_TMPDIR/dad.lua" <<'END'
local mt <const> = require "moontap"
local tap <const> = assert(mt.tap { name = "tap0", addr = "fd00::1/64", dad = true, port_mac = "02:00:00:00:00:02" })
tap:on(nil, mt.reflect { net = "fd00::/64" })
END
  device=tap0 start_moontap --stats "$BATS_TEST_TMPDIR/dad.lua"
  await_dad fd00::1
  await fd00::1 silent

  await fd00::2 answered
  ip addr add fd00::2/64 dev tap0
  await fd00::2 silent
  await_dad fd00::2
  await fd00::2 silent

  ip addr del fd00::2/64 dev tap0
  await fd00::2 answered
  run ping -6 -c 2 -i 0.05 -w 20 fd00::2
  says '^2 packets transmitted, 2 received, 0% packet loss'
  stop_and_check
}
