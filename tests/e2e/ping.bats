#!/usr/bin/env bats
# Real pings: all sizes, both families, with the C reflector and by hand; and one who only watches.

setup() { load common; common_setup; }
teardown() { common_teardown; }

v4=192.168.1.100
v6=2001:db8:1::77

all_sizes_return() {
  local addr size
  for addr in $v4 $v6; do
    for size in 0 1 2 3 7 8 15 16 17 56 63 64 65 127 255 256 511 777 1023 1024 1400 1451 1452; do
      pings_are_answered 2 -i 0.005 -s $size -p c0ffee37 "$addr"
    done
  done
  # what a link of MTU 1500 takes in one piece
  for size in 1453 1471 1472; do
    pings_are_answered 2 -i 0.005 -s $size -p 0badf00d $v4
  done
  stop_moontap
}

@test "ping.lua returns payloads of 0 to 1472 bytes unchanged" {
  start_moontap --stats ping
  all_sizes_return
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}

@test "ping_by_hand.lua returns payloads of 0 to 1472 bytes unchanged" {
  start_moontap --stats ping_by_hand
  all_sizes_return
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}

@test "each pattern comes back, with whatever checksum it makes" {
  start_moontap ping
  for pattern in 00 ff 01 80 55aa f8ff fffe 0007 deadbeef; do
    pings_are_answered 3 -i 0.005 -s 64 -p $pattern $v4
    pings_are_answered 3 -i 0.005 -s 65 -p $pattern $v6
  done
  stop_moontap
}

@test "the first and the last address of the prefix's hosts are answered" {
  start_moontap ping
  pings_are_answered 1 192.168.1.1
  pings_are_answered 1 192.168.1.254
  pings_are_answered 1 2001:db8:1::1
  pings_are_answered 1 2001:db8:1:0:ffff:ffff:ffff:ffff
  stop_moontap
}

@test "a flood of 5000 loses nothing" {
  start_moontap --stats ping
  pings_are_answered 5000 -q -f $v4
  pings_are_answered 5000 -q -f -6 $v6
  stop_moontap
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
  grep -q 'replied 10000 ' "$BATS_TEST_TMPDIR/err"
}

@test "ping_by_hand.lua prints two lines a packet" {
  start_moontap ping_by_hand
  pings_are_answered 1 $v4
  pings_are_answered 1 -6 $v6
  stop_moontap
  run sed 's/id [0-9]*/id N/' "$BATS_TEST_TMPDIR/out"
  [ "$output" = "read 84 bytes: IP 192.168.1.134 > $v4: ICMP echo request, id N, seq 1, length 64
wrote 84 bytes: IP $v4 > 192.168.1.134: ICMP echo reply, id N, seq 1, length 64
read 104 bytes: IP6 2001:db8:1::134 > $v6: ICMP6, echo request, id N, seq 1, length 64
wrote 104 bytes: IP6 $v6 > 2001:db8:1::134: ICMP6, echo reply, id N, seq 1, length 64" ]
}

@test "tcpdump sees request and reply, as our own lines show them" {
  start_moontap ping_by_hand
  tcpdump -n -t -l -i tun0 -c 4 'icmp or (icmp6 and (ip6[40] = 128 or ip6[40] = 129))' \
    >"$BATS_TEST_TMPDIR/seen" 2>"$BATS_TEST_TMPDIR/tcpdump" 3>&- &
  tcpdump_pid=$!
  for _ in $(seq 250); do
    grep -q 'listening on' "$BATS_TEST_TMPDIR/tcpdump" && break
    sleep 0.02
  done
  pings_are_answered 1 $v4
  pings_are_answered 1 -6 $v6
  for _ in $(seq 250); do
    kill -0 $tcpdump_pid 2>/dev/null || break
    sleep 0.02
  done
  kill $tcpdump_pid 2>/dev/null || true
  stop_moontap
  cat "$BATS_TEST_TMPDIR/seen"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/seen")" = 4 ]
  # tcpdump 4.99 writes the protocol of IPv6 as "IP6"; the lines agree word for word
  diff "$BATS_TEST_TMPDIR/seen" <(sed 's/^[a-z]* [0-9]* bytes: //' "$BATS_TEST_TMPDIR/out")
}

@test "watch.lua prints size and line of each packet and answers none" {
  start_moontap --stats watch
  run ping -n -c 3 -i 0.01 -w 2 -W 1 $v4
  [ "$status" = 1 ]
  [[ $output == *" 0 received"* ]]
  run ping -n -c 1 -w 1 $v6
  [ "$status" = 1 ]
  stop_moontap
  grep -Eqx '84 bytes: IP 192\.168\.1\.134 > 192\.168\.1\.100: ICMP echo request, id [0-9]+, seq 1, length 64' \
    "$BATS_TEST_TMPDIR/out"
  grep -Eqx '104 bytes: IP6 2001:db8:1::134 > 2001:db8:1::77: ICMP6, echo request, id [0-9]+, seq 1, length 64' \
    "$BATS_TEST_TMPDIR/out"
  grep -q 'tx_packets 0 ' "$BATS_TEST_TMPDIR/err"
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}

@test "an address outside the prefixes, the network's and the broadcast address get no answer" {
  start_moontap --stats ping
  ip route add 10.9.9.0/24 dev tun0
  for addr in 10.9.9.9 192.168.1.0; do
    run ping -n -c 1 -w 1 $addr
    [ "$status" != 0 ]
  done
  run ping -n -b -c 1 -w 1 192.168.1.255
  [ "$status" != 0 ]
  stop_moontap
  grep -q 'replied 0 ' "$BATS_TEST_TMPDIR/err"
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
}
