#!/usr/bin/env bats
# The doctor names the true cause of a missing answer, and its fix makes the ping work.

# A pair v0 (10.1.1.1) - v1 (10.1.1.2), one end in each of two namespaces.
setup() {
  load common
  common_setup
  for ns in da db; do
    ip netns add $ns
    ip -n $ns link set lo up
  done
  ip link add v0 netns da type veth peer name v1 netns db
  a addr add 10.1.1.1/24 dev v0
  b addr add 10.1.1.2/24 dev v1
  a link set v0 up
  b link set v1 up
}
teardown() {
  ip netns del da
  ip netns del db
  [ ! -e /run/netns/dc ] || ip netns del dc
  common_teardown
}

a() { ip -n da "$@"; }
b() { ip -n db "$@"; }
in_b() { ip netns exec db "$@"; }
doctor() { run timeout -s KILL 60 "$MOONTAP" doctor --netns da "$@"; echo "$output"; }

# ping_works ARGS...: from da
ping_works() {
  for _ in 1 2 3 4 5; do
    ip netns exec da ping -n -c 1 -w 2 "$@" && return 0
  done
  return 1
}

# cause_is SRC DST CAUSE [PING ARGS...]: no answer; the doctor says why; its fix mends it.
cause_is() {
  local src=$1 dst=$2 cause=$3
  shift 3
  ! ip netns exec da ping -n -c 1 -w 2 "$@" -I "$src" "$dst" || return 1
  doctor "$src" "$dst"
  [ "$status" = 1 ]
  [ "$(grep '^cause: ' <<<"$output")" = "cause: $cause" ]
  local fix
  fix=$(sed -n 's/^fix:   //p' <<<"$output")
  echo "applying: $fix"
  eval "$fix"
  ping_works "$@" -I "$src" "$dst"
}

wait_for() { for _ in $(seq 100); do "$@" && return 0; sleep 0.1; done; return 1; }

@test "a healthy pair: nothing wrong found" {
  doctor 10.1.1.1 10.1.1.2
  [ "$status" = 0 ]
  [[ $output == *"nothing wrong found" ]]
  long=$(grep -cE ".{81}" <<<"$output" || true)
  [ "$long" = 0 ]
}
@test "our end is down" {
  a link set v0 down
  cause_is 10.1.1.1 10.1.1.2 "v0 in namespace da is down"
}
@test "the other end is down" {
  b link set v1 down
  cause_is 10.1.1.1 10.1.1.2 "v1 in namespace db is down"
}
@test "the source address is nowhere" {
  a addr del 10.1.1.1/24 dev v0
  a route add 10.1.1.0/24 dev v0
  cause_is 10.1.1.1 10.1.1.2 "no link has the address 10.1.1.1"
}
@test "no route to the destination" {
  b addr add 10.9.9.9/32 dev v1
  cause_is 10.1.1.1 10.9.9.9 "no route to 10.9.9.9 in namespace da"
}
@test "a blackhole route on the way there" {
  a route add blackhole 10.1.1.2/32
  cause_is 10.1.1.1 10.1.1.2 "a route blackhole 10.1.1.2 refuses 10.1.1.2 in namespace da"
}
@test "a prohibit route on the way there" {
  a route add prohibit 10.1.1.2/32
  cause_is 10.1.1.1 10.1.1.2 "a route prohibit 10.1.1.2 refuses 10.1.1.2 in namespace da"
}
@test "an unreachable route on the way back" {
  b route add unreachable 10.1.1.1/32
  cause_is 10.1.1.1 10.1.1.2 "a route unreachable 10.1.1.1 refuses 10.1.1.1 in namespace db"
}
@test "no route back" {
  b addr del 10.1.1.2/24 dev v1
  b addr add 10.1.1.2/32 dev v1
  cause_is 10.1.1.1 10.1.1.2 "no route to 10.1.1.1 in namespace db"
}
@test "rp_filter, the way back is over another link" {
  b link add v2 type veth peer name v3 netns da
  b link set v2 up
  a link set v3 up
  b route add 10.1.1.1/32 dev v2 src 10.1.1.2
  in_b sysctl -q -w net.ipv4.conf.v1.rp_filter=1
  ip netns exec da sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v3.rp_filter=0
  cause_is 10.1.1.1 10.1.1.2 "rp_filter on v1 in namespace db drops it: the way back is over v2"
}
@test "arp_filter, the way back is over another link" {
  b link add v2 type veth peer name v3 netns da
  b link set v2 up
  a link set v3 up
  b route add 10.1.1.1/32 dev v2 src 10.1.1.2
  in_b sysctl -q -w net.ipv4.conf.v1.arp_filter=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v1.rp_filter=0
  ip netns exec da sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v3.rp_filter=0
  ip netns exec da sysctl -q -w net.ipv4.conf.v0.rp_filter=0
  a link set v0 arp off
  a link set v0 arp on # forgets what it knew
  cause_is 10.1.1.1 10.1.1.2 "arp_filter on v1 in namespace db: it answers ARP only where its way back is, over v2"
}
@test "pings are ignored" {
  in_b sysctl -q -w net.ipv4.icmp_echo_ignore_all=1
  cause_is 10.1.1.1 10.1.1.2 "10.1.1.2 in namespace db is told to ignore pings (echo_ignore_all)"
}
@test "a neighbour entry with the wrong MAC" {
  a neigh add 10.1.1.2 lladdr 02:00:00:00:00:99 dev v0
  cause_is 10.1.1.1 10.1.1.2 "the neighbour entry of 10.1.1.2 on v0 in namespace da has the wrong MAC"
}
@test "arp_ignore 8" {
  in_b sysctl -q -w net.ipv4.conf.v1.arp_ignore=8
  cause_is 10.1.1.1 10.1.1.2 "arp_ignore on v1 in namespace db is 8: it does not say that it has 10.1.1.2"
}
@test "the source address is held twice" {
  b addr add 10.1.1.1/32 dev v1
  cause_is 10.1.1.1 10.1.1.2 "10.1.1.1 is also an address of v1 in namespace db: the answer stays there"
}
@test "our own address, and lo is down" {
  a link set lo down
  cause_is 10.1.1.1 10.1.1.1 "lo in namespace da is down"
}
@test "the gateway does not forward" {
  ip netns add dc
  ip -n dc link set lo up
  b link add w0 type veth peer name w1 netns dc
  b addr add 10.2.2.1/24 dev w0
  b link set w0 up
  ip -n dc addr add 10.2.2.2/24 dev w1
  ip -n dc link set w1 up
  ip -n dc route add default via 10.2.2.1
  a route add 10.2.2.0/24 via 10.1.1.2
  in_b sysctl -q -w net.ipv4.ip_forward=0
  cause_is 10.1.1.1 10.2.2.2 "the gateway 10.1.1.2 in namespace db does not forward"
}
@test "the mtu of the other end is smaller: only big packets are lost" {
  b link set v1 mtu 1000
  cause_is 10.1.1.1 10.1.1.2 "packets of 1500 bytes are lost: v1 in namespace db has mtu 1000" -s 1472 -M "do"
}
@test "both ends in one namespace: accept_local" {
  b link set v1 netns da
  a addr add 10.1.1.2/24 dev v1
  a link set v1 up
  ip netns exec da sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v0.rp_filter=0 net.ipv4.conf.v1.rp_filter=0
  cause_is v0 10.1.1.2 "v1 drops packets from our own 10.1.1.1 (accept_local is 0)"
}
@test "v6: a healthy pair" {
  a addr add fd00::1/64 dev v0 nodad
  b addr add fd00::2/64 dev v1 nodad
  doctor fd00::1 fd00::2
  [ "$status" = 0 ]
}
@test "v6: disable_ipv6 on the other end" {
  a addr add fd00::1/64 dev v0 nodad
  in_b sysctl -q -w net.ipv6.conf.v1.disable_ipv6=1
  cause_is fd00::1 fd00::2 "nobody has fd00::2, and IPv6 is off on v1 in namespace db"
}
@test "v6: disable_ipv6 on our end" {
  b addr add fd00::2/64 dev v1 nodad
  ip netns exec da sysctl -q -w net.ipv6.conf.v0.disable_ipv6=1
  cause_is fd00::1 fd00::2 "nobody has fd00::1, and IPv6 is off on v0 in namespace da"
}
@test "v6: pings are ignored" {
  a addr add fd00::1/64 dev v0 nodad
  b addr add fd00::2/64 dev v1 nodad
  in_b sysctl -q -w net.ipv6.icmp.echo_ignore_all=1
  cause_is fd00::1 fd00::2 "fd00::2 in namespace db is told to ignore pings (echo_ignore_all)"
}
@test "v6: the address is a duplicate" {
  b addr add fd00::1/64 dev v1 nodad
  a addr add fd00::1/64 dev v0
  b addr add fd00::2/64 dev v1 nodad
  wait_for eval "a addr show dev v0 | grep -q dadfailed"
  b addr del fd00::1/64 dev v1
  cause_is fd00::1 fd00::2 "fd00::1 on v0 in namespace da is a duplicate (dadfailed)"
}
@test "usage: exit 2" {
  run "$MOONTAP" doctor nonsense
  [ "$status" = 2 ]
  run "$MOONTAP" doctor --netns nowhere 10.1.1.2
  [ "$status" = 2 ]
}
@test "the machine: the node is missing" {
  mount -t tmpfs -o mode=755 none /dev/net
  run "$MOONTAP" doctor
  umount /dev/net
  [ "$status" = 1 ]
  [[ $output == *"cause: /dev/net/tun cannot be opened: No such file or directory"* ]]
}
@test "the machine: who holds CAP_NET_ADMIN, though the host itself never does" {
  run "$MOONTAP" doctor
  [ "$status" = 0 ]
  [[ $output == *"ok  CAP_NET_ADMIN is held"* ]]
  run setpriv --bounding-set -all --inh-caps -all "$MOONTAP" doctor
  [[ $output == *"?   CAP_NET_ADMIN is not held: run as root, or with --sandbox"* ]]
}
