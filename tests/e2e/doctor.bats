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
doctor() {
  run timeout -s KILL 60 "$MOONTAP" doctor --netns da "$@"
  echo "$output"
  [ "$(grep -cE ".{81}" <<<"$output" || true)" = 0 ]
}

# What stands behind the head $1, its lines joined again.
part() {
  awk -v head="$1" '
    index($0, head) == 1 { on = 1; print substr($0, length(head) + 1); next }
    on && /^       / { print substr($0, 8); next }
    { on = 0 }' <<<"$output"
}

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
  [ "$(part 'cause: ' | paste -sd ' ')" = "$cause" ]
  local fix
  fix=$(part 'fix:   ')
  echo "applying: $fix"
  eval "$fix"
  ping_works "$@" -I "$src" "$dst"
}

@test "a healthy pair: nothing wrong found" {
  doctor 10.1.1.1 10.1.1.2
  [ "$status" = 0 ]
  [[ $output == *"nothing wrong found" ]]
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
  cause_is 10.1.1.1 10.1.1.2 "arp_filter on v1 in namespace db mutes ARP: the way back is over v2"
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
  cause_is 10.1.1.1 10.1.1.2 "arp_ignore 8 on v1 in namespace db: it does not say it has 10.1.1.2"
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
@test "v6: long addresses are wrapped, and the fix can still be copied" {
  a addr add fd00:1111:2222:3333:4444:5555:6666:7771/64 dev v0 nodad
  b addr add fd00:1111:2222:3333:4444:5555:6666:7772/64 dev v1 nodad
  a route add prohibit fd00:1111:2222:3333:4444:5555:6666:7772/128
  cause_is fd00:1111:2222:3333:4444:5555:6666:7771 fd00:1111:2222:3333:4444:5555:6666:7772 \
    "a route prohibit fd00:1111:2222:3333:4444:5555:6666:7772 refuses fd00:1111:2222:3333:4444:5555:6666:7772 in namespace da"
  [ "$(part 'fix:   ' | wc -l)" -gt 1 ]
}
@test "a policy rule refuses on the way there" {
  a rule add priority 50 from 10.1.1.1 prohibit
  cause_is 10.1.1.1 10.1.1.2 "policy rule 50 refuses packets to 10.1.1.2 in namespace da"
}
@test "a policy rule refuses on the way back" {
  b rule add priority 50 to 10.1.1.0/24 blackhole
  cause_is 10.1.1.1 10.1.1.2 "policy rule 50 refuses packets to 10.1.1.1 in namespace db"
}
@test "a policy rule sends packets over another link" {
  a link add v3 type veth peer name v2 netns db
  a link set v3 up
  b link set v2 up
  b link set v2 arp off
  a route add 10.1.1.2/32 dev v3 table 77
  a rule add priority 50 from 10.1.1.1 table 77
  cause_is 10.1.1.1 10.1.1.2 "policy rule 50 (table 77) sends 10.1.1.2 in namespace da over v3"
}
@test "no policy rule looks into the main table" {
  a rule del table main
  cause_is 10.1.1.1 10.1.1.2 "no policy rule in namespace da looks into table main"
}
@test "a policy rule of another network is not accused" {
  a rule add priority 50 from 10.7.0.0/16 prohibit
  doctor 10.1.1.1 10.1.1.2
  [ "$status" = 0 ]
}
@test "broadcast pings are ignored" {
  in_b sysctl -q -w net.ipv4.icmp_echo_ignore_broadcasts=1
  cause_is 10.1.1.1 10.1.1.255 "10.1.1.2 in namespace db ignores broadcasts (icmp_echo_ignore_broadcasts)" -b
  doctor 10.1.1.1 10.1.1.255
  [ "$status" = 0 ]
}

# nft_in NS: takes a ruleset from standard input; SKIP where the kernel has no nftables.
nft_in() {
  local rules
  rules=$(cat)
  ip netns exec "$1" nft list ruleset || skip "this kernel has no nftables"
  ip netns exec "$1" nft -f - <<<"$rules"
}

@test "a firewall with the policy drop at the other end" {
  nft_in db <<<'table inet t { chain c { type filter hook input priority 0; policy drop; }; }'
  cause_is 10.1.1.1 10.1.1.2 "nft in namespace db drops: policy drop (inet t, chain c)"
}
@test "a firewall rule at the other end drops the answer" {
  nft_in db <<'NFT'
table ip t {
  chain a { type filter hook input priority 0; tcp dport 22 drop; ip saddr 10.7.0.0/16 drop; }
  chain b { type filter hook output priority 0; icmp type echo-reply counter drop; }
}
NFT
  cause_is 10.1.1.1 10.1.1.2 "nft in namespace db drops: icmp type echo-reply drop (ip t, chain b)"
}
@test "a firewall at our end: the leg on which the packet is lost is told" {
  nft_in db <<<'table inet t { chain c { type filter hook input priority 0; ip daddr 10.1.1.0/24 meta length 1500 drop; }; }'
  nft_in da <<<'table inet t { chain c { type filter hook input priority 0; iifname "v0" icmp type echo-reply drop; }; }'
  cause_is 10.1.1.1 10.1.1.2 "nft in namespace da drops: iifname \"v0\" icmp type echo-reply drop (inet t, chain c)"
}
@test "a firewall that lets pings through is not accused" {
  nft_in db <<<'table inet t { chain c { type filter hook input priority 0; tcp dport 22 drop; }; }'
  doctor 10.1.1.1 10.1.1.2
  [ "$status" = 0 ]
  [[ $output == *"?   nft has rules in namespace db, none that drops this"* ]]
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
@test "the machine: no user namespaces" {
  # the limit counts in the namespace that it is written in
  run timeout -s KILL 60 unshare --user --map-root-user \
    sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' - "$MOONTAP" doctor
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"!!  user namespaces are not allowed here (--sandbox needs them)"* ]]
  [ "$(part 'fix:   ')" = "sudo sysctl -w user.max_user_namespaces=10000" ]
}
