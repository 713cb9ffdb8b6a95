#!/usr/bin/env bats
# An ordinary user runs all of it in a network of his own, and this one is not touched.

setup() {
  load common
  common_setup
  private_setup
  unchangeable >"$BATS_TEST_TMPDIR/before"
}
teardown() {
  unchangeable | diff "$BATS_TEST_TMPDIR/before" -
  private_teardown
  common_teardown
}

unchangeable() {
  network
  cat /proc/self/mounts
}

@test "as nobody, node 0666: the ping is answered, exit 0" {
  node 0666
  nobody run --sandbox -- ping -c 3 -i 0.2 192.168.1.100
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"3 packets transmitted, 3 received, 0% packet loss"* ]]
}

@test "as nobody, node 0600: one line, exit 1" {
  node 0600
  nobody run --sandbox -- ping -c 3 -w 5 192.168.1.100
  [ "$status" = 1 ]
  [ "$output" = "moontap: $prefix/share/moontap/scripts/ping.lua:4: /dev/net/tun: Permission denied (as root: chmod 0666 /dev/net/tun; what it may do is still decided by CAP_NET_ADMIN)" ]
}

@test "as nobody without --sandbox: what to do is said" {
  node 0666
  nobody run -- ping -c 1 -w 5 192.168.1.100
  [ "$status" = 1 ]
  [ "$output" = "moontap: $prefix/share/moontap/scripts/ping.lua:4: tun0: not permitted: it needs CAP_NET_ADMIN (run it as root, or with --sandbox)" ]
}

@test "as root too" {
  node 0600
  run timeout -s KILL 60 "$MOONTAP" run --sandbox ping -- ping -c 3 -i 0.2 192.168.1.100
  [ "$status" = 0 ]
  [[ $output == *" 3 received"* ]]
}

@test "inside: root by name, lo up, an empty /run/netns, no device but lo and ours" {
  node 0666
  nobody run -q --sandbox -- sh -c 'id -u; ip -o link show up | cut -d: -f2; ls -A /run/netns; ip netns add lab && ip netns list; cat /proc/sys/net/ipv4/ping_group_range'
  echo "$output"
  [ "$status" = 0 ]
  [ "$output" = "0
 lo
 tun0
lab
0	0" ]
  [ -z "$(ip netns list)" ]
}

@test "the command's status is that of moontap in a sandbox too" {
  node 0666
  nobody run -q --sandbox -- sh -c 'exit 7'
  [ "$status" = 7 ]
}

@test "both ping scripts, v4 and v6, without a checksum error inside" {
  node 0666
  for script in ping ping_by_hand; do
    nobody run -q --sandbox $script -- sh -c 'ping -q -c 50 -i 0.005 192.168.1.100 && ping -q -c 50 -i 0.005 2001:db8:1::77 &&
      awk "/^Icmp: [0-9]/ { print \"errors4\", \$4 }" /proc/self/net/snmp; awk "/^Icmp6InCsumErrors/ { print \"errors6\", \$2 }" /proc/self/net/snmp6'
    [ "$status" = 0 ]
    [[ $output == *"50 received"*"50 received"*"errors4 0"*"errors6 0"* ]]
  done
}

@test "demo shows requests, replies, rule, verdict and counters; plain when piped" {
  node 0666
  nobody demo
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *'$ ping '*192.168.1.100* ]]
  [[ $output == *'-> IP 192.168.1.134 > 192.168.1.100: ICMP echo request'* ]]
  [[ $output == *'<- IP 192.168.1.100 > 192.168.1.134: ICMP echo reply'* ]]
  [[ $output == *'-> IP6 2001:db8:1::134 > 2001:db8:1::100: ICMP6, echo request'* ]]
  [[ $output == *'<- IP6 2001:db8:1::100 > 2001:db8:1::134: ICMP6, echo reply'* ]]
  [[ $output == *'reply by rule ping.lua:'* ]]
  [[ $output == *'3 packets transmitted, 3 received'* ]]
  [[ $output == *'rx_packets'*'= replied 5 '*'tx_packets 5 '* ]]
  [[ $output == *'Nothing on this host was changed.'* ]]
  [[ $output != *$'\033'* ]]
  [ -z "$(awk 'length > 80' <<<"$output")" ]
}

@test "demo in a terminal has colours, and none with NO_COLOR" {
  node 0666
  run timeout -s KILL 60 script -qec "'$prefix/bin/moontap' demo" /dev/null
  [ "$status" = 0 ]
  [[ $output == *$'\033['* ]]
  NO_COLOR=1 run timeout -s KILL 60 script -qec "'$prefix/bin/moontap' demo" /dev/null
  [ "$status" = 0 ]
  [[ $output != *$'\033['* ]]
}

@test "demo without the device node, or without ping: what, why, what to do" {
  nobody demo
  [ "$status" = 1 ]
  echo "$output"
  [[ ${lines[-1]} == "moontap: demo: "*"/dev/net/tun: No such file or directory (as root: "* ]]
  node 0600
  nobody demo
  [ "$status" = 1 ]
  [[ ${lines[-1]} == "moontap: demo: "*"/dev/net/tun: Permission denied (as root: chmod 0666 /dev/net/tun;"* ]]
  PATH_BEFORE=$PATH
  run env PATH=/nowhere "$prefix/bin/moontap" demo
  PATH=$PATH_BEFORE
  [ "$status" = 1 ]
  [ "$output" = "moontap: demo: ping is not installed (apt install iputils-ping)" ]
}

@test "where user namespaces are forbidden: one line that says so" {
  node 0666
  # the limit counts in the namespace that it is written in
  run timeout -s KILL 60 unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' - \
    "$prefix/bin/moontap" run --sandbox -- true
  echo "$output"
  [ "$status" = 1 ]
  [ "${#lines[@]}" = 1 ]
  [[ $output == "moontap: sandbox: this system allows no user namespaces: No space left on device (as root: sysctl "* ]]
}
