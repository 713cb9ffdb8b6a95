#!/usr/bin/env bats
# What the tour says of a veth pair is so, in what it shows and in what tcpdump sees meanwhile; the
# examples beside it do what they print; and nothing of it is left.

setup() {
  load common
  common_setup
  private_setup
  node 0666
  export NO_COLOR=1 LC_ALL=C
  network >"$BATS_TEST_TMPDIR/before"
}

teardown() {
  for pid in ${watchers:-}; do
    kill "$pid" 2>/dev/null || true
  done
  private_teardown
  ip link del veth0 2>/dev/null || true
  common_teardown
}

unchanged() { network | diff "$BATS_TEST_TMPDIR/before" -; }

as_root() { run timeout -s KILL 60 "$prefix/bin/moontap" "$@"; }

# How many lines of what was printed after the line $1... and before the line $2... match $3.
between() {
  awk -v from="$1" -v to="$2" '
    index($0, to) == 1 { on = 0 }
    on
    index($0, from) == 1 { on = 1 }' <<<"$output" | grep -cE -- "$3" || true
}

# The claims of the tour, in its own words and pictures.
tour_is_told() {
  echo "$output"
  [ "$status" = 0 ]
  # without the settings: questions, no answer
  [ "$(between 1. 2. 'veth0 +veth1 +lo')" = 1 ]
  [ "$(between 1. 2. '[|]-+ who-has 10.1.1.2 ->[|]')" -ge 2 ]
  [ "$(between 1. 2. 'is-at|echo re')" = 0 ]
  [ "$(between 1. 2. 'Destination Host Unreachable')" = 1 ]
  [ "$(between 1. 2. 'bytes from')" = 0 ]
  # with them: requests cross, replies are on lo, in the last column alone
  [ "$(between 2. 3. '^ +[0-9.]+  [|]-+ echo request [123] -+>[|]')" = 3 ]
  [ "$(between 2. 3. '^ +[0-9.]+  [|] {23}[|] {23}[*] echo reply [123]$')" = 3 ]
  [ "$(between 2. 3. 'echo reply')" = 3 ]
  [ "$(between 2. 3. '[|]<-+ is-at')" = 1 ]
  [ "$(between 2. 3. '64 bytes from 10.1.1.2')" = 3 ]
  # the local table is why
  [ "$(between 2. 3. '^  local 10.1.1.1/32 dev veth0 table local$')" = 1 ]
  [ "$(between 2. 3. '^  local 10.1.1.2/32 dev veth1 table local$')" = 1 ]
  [ "$(between 2. 3. '^  local 10.1.1.1/32 dev lo$')" = 1 ]
  # one end goes, the other goes
  [ "$(between 3. Only '^the kernel says: veth1 is gone$')" = 1 ]
  [ "$(between 3. Only '^[0-9]+ +veth')" = 0 ]
  [ "$(between 3. Only '^1 +lo ')" = 1 ]
  [ -z "$(LC_ALL=C awk 'length > 80' <<<"$output")" ]
}

@test "the tour as nobody, in a sandbox: its claims hold in what it captured" {
  nobody run --sandbox veth_tour
  tour_is_told
  unchanged
}

# Starts tcpdump on links of this network as soon as they are there; one file each.
watch_links() {
  for link in "$@"; do
    (
      for _ in $(seq 500); do
        [ -e "/proc/sys/net/ipv4/conf/$link" ] && break
        sleep 0.01
      done
      exec timeout -s INT 60 tcpdump -n -l --immediate-mode -i "$link" 'arp or icmp' >"$BATS_TEST_TMPDIR/$link" 2>"$BATS_TEST_TMPDIR/$link.err"
    ) 3>&- &
    watchers="${watchers:-} $!"
  done
}

seen() { grep -c -- "$2" "$BATS_TEST_TMPDIR/$1" || true; }

@test "the tour as root, in this network: tcpdump sees the same" {
  watch_links lo veth0 veth1
  as_root run veth_tour
  tour_is_told
  unchanged
  # tcpdump may lag behind
  for link in veth0 veth1; do wait_for eval '[ "$(seen $link "ICMP echo request")" = 3 ]'; done
  wait_for eval '[ "$(seen lo "10.1.1.2 > 10.1.1.1: ICMP echo reply")" -ge 3 ]'
  for pid in $watchers; do
    kill -INT "$pid" 2>/dev/null || true
    wait "$pid" || true
  done
  watchers=
  head -30 "$BATS_TEST_TMPDIR"/lo "$BATS_TEST_TMPDIR"/veth?
  # requests at both ends, replies at none of them but on lo
  for link in veth0 veth1; do
    [ "$(seen $link 'ICMP echo request')" = 3 ]
    [ "$(seen $link 'ICMP echo reply')" = 0 ]
    [ "$(seen $link 'is-at')" = 1 ]
    # asked in vain before (tcpdump may have come after the first): the last question is answered
    [ "$(seen $link 'who-has 10.1.1.2')" -ge 2 ]
  done
  [ "$(seen lo 'ICMP echo request')" = 0 ]
  [ "$(seen lo '10.1.1.2 > 10.1.1.1: ICMP echo reply')" -ge 3 ]
  [ "$(seen lo 'host 10.1.1.2 unreachable')" -ge 1 ]
}

@test "the tour where rp_filter is strict, and where the kernel accepts already" {
  sysctl -q -w net.ipv4.conf.all.rp_filter=1
  network >"$BATS_TEST_TMPDIR/before"
  as_root run veth_tour
  tour_is_told
  unchanged
  sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.accept_local=1
  network >"$BATS_TEST_TMPDIR/before"
  as_root run veth_tour
  sysctl -q -w net.ipv4.conf.all.accept_local=0
  [ "$status" = 0 ]
  [[ $output == *"A reply: "* && $output != *"No reply. "* ]]
}

@test "the tour, interrupted: nothing is left" {
  device=veth1
  start_moontap veth_tour
  said who-has
  kill -INT "$moontap_pid"
  wait "$moontap_pid" || true
  moontap_pid=
  wait_for unchanged
}

@test "veth_responder: pings and ARP are answered from a namespace without an address" {
  for who in nobody as_root; do
    $who run --sandbox veth_responder
    echo "$output"
    [ "$status" = 0 ]
    [[ $output =~ ([3-9])" packets transmitted, "([3-9])" received, 0% packet loss" ]] # more where the first ARP was lost
    [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
    [[ $output == *"-> ARP, Request who-has 10.1.1.2 tell 10.1.1.1"* ]]
    [[ $output == *"-> IP 10.1.1.1 > 10.1.1.2: ICMP echo request"* ]]
    [[ $output == *"10.1.1.2  "*"  veth0  reachable"* ]]
  done
  as_root run veth_responder
  [ "$status" = 0 ]
  unchanged
}

@test "tun_lifecycle: made, addressed, routed to, used, deleted" {
  for who in nobody as_root; do
    $who run --sandbox tun_lifecycle
    echo "$output"
    [ "$status" = 0 ]
    [ "$(between made: addressed: '^2 +tun0 +tun +false ')" = 1 ]
    [ "$(between routed used: '^192.168.0.1/32 +- +tun0 ')" = 1 ]
    [ "$(between routed used: '^192.168.1.0/24 +- +tun0 ')" = 1 ]
    [ "$(between used: deleted: '2 packets transmitted, 2 received, 0% packet loss')" = 1 ]
    [ "$(between used: deleted: '^-> IP 192.168.1.134 > 192.168.0.1: ICMP echo request')" = 2 ]
    [ "$(between deleted: nothing 'tun0')" = 0 ]
    [[ ${lines[-1]} == "0 routes" ]]
  done
  as_root run tun_lifecycle
  [ "$status" = 0 ]
  unchanged
}

@test "demo tour is the tour alone, demo ping the pings, demo both" {
  nobody demo tour
  [ "$status" = 0 ]
  [[ $output == *"echo reply 3"* && $output != *"tun0"* ]]
  nobody demo ping
  [ "$status" = 0 ]
  [[ $output != *"veth0"* && $output == *"replied 5"* ]]
  started=$(date +%s)
  nobody demo
  [ "$status" = 0 ]
  [ $(($(date +%s) - started)) -lt 20 ]
  [[ $output == *"replied 5"*"The tour: "*"echo reply 3"*"Nothing on this host was changed."* ]]
  unchanged
}

@test "demo in UTF-8 draws lines, in a terminal in colour" {
  LC_ALL=C.UTF-8 nobody demo tour
  [[ $output == *"│"*"● echo reply 1"* && $output != *$'\033'* ]]
  [ "$(LC_ALL=C.UTF-8 wc -L <<<"$output")" -le 80 ]
  unset NO_COLOR
  run timeout -s KILL 60 script -qec "'$prefix/bin/moontap' demo tour" /dev/null
  [[ $output == *$'\033[32m'*"* echo reply 1"* ]]
}
