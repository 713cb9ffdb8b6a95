#!/bin/sh
# Records real.pcap: what the kernel itself sends between two namespaces. Run as tests/in_netns
# tests/captures/record.sh; another run gives other idents, ports and times, so the tests read what is committed.
set -eu
out=$(cd "$(dirname "$0")" && pwd)/real.pcap
ip netns add far
ip link add veth0 address 02:00:00:00:00:01 type veth peer name veth1 address 02:00:00:00:00:02 netns far
far() { ip netns exec far "$@"; }
for end in "1 veth0 ip" "2 veth1 far"; do
	# shellcheck disable=SC2086 # three words
	set -- $end
	on=$3
	[ "$on" = far ] || on=env
	$on ip addr add "192.168.1.$1/24" dev "$2"
	$on ip addr add "2001:db8::$1/64" dev "$2" nodad
	$on ip link set "$2" up
	$on ethtool -K "$2" tx off gso off tso off >/dev/null 2>&1 || true
done
far ip link set lo up
tcpdump -q -U -i veth0 -w "$out" -Z root 2>/dev/null &
tcpdump=$!
sleep 1

# vlan, QinQ, and the tunnels that this kernel has
links() {
	on=$1 me=$2 peer=$3 dev=$4
	$on ip link add link "$dev" name tag type vlan id 5 && $on ip addr add "10.1.5.$me/24" dev tag && $on ip link set tag up
	$on ip link add link "$dev" name outer type vlan proto 802.1ad id 100 && $on ip link set outer up &&
		$on ip link add link outer name double type vlan id 7 && $on ip addr add "10.1.7.$me/24" dev double && $on ip link set double up
	$on ip link add gre1 type gre local "192.168.1.$me" remote "192.168.1.$peer" key 7 && $on ip addr add "10.1.1.$me/24" dev gre1 && $on ip link set gre1 up
	$on ip link add ipip1 type ipip local "192.168.1.$me" remote "192.168.1.$peer" && $on ip addr add "10.1.2.$me/24" dev ipip1 && $on ip link set ipip1 up
	$on ip link add vxlan1 address "02:00:00:00:01:0$me" type vxlan id 42 local "192.168.1.$me" remote "192.168.1.$peer" dstport 4789 && $on ip addr add "10.1.3.$me/24" dev vxlan1 && $on ip link set vxlan1 up
	true
}
links env 1 2 veth0 || true
links far 2 1 veth1 || true

ping -n -q -c 2 192.168.1.2
ping -n -q -c 1 -s 3000 192.168.1.2
ping -n -q -c 1 -R 192.168.1.2
ping -n -q -c 1 -T tsonly 192.168.1.2
ping -n -q -c 2 2001:db8::2
ping -n -q -c 1 -s 3000 2001:db8::2
for to in 10.1.5.2 10.1.7.2 10.1.1.2 10.1.2.2 10.1.3.2; do ping -n -q -c 1 -W 1 "$to" || true; done
ping -n -q -c 1 -W 1 192.168.1.77 || true
far ip route add unreachable 198.51.100.0/24
far ip route add prohibit 203.0.113.0/24
far sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip route add 198.51.100.0/24 via 192.168.1.2
ip route add 203.0.113.0/24 via 192.168.1.2
ip route add 192.0.2.0/24 via 192.168.1.2
ping -n -q -c 1 -W 1 198.51.100.1 || true
ping -n -q -c 1 -W 1 203.0.113.1 || true
far ip addr add 192.0.2.1/32 dev lo
ping -n -q -c 1 -W 1 -t 1 192.0.2.9 || true
python3 - <<'END'
import socket, subprocess, sys, time

SERVER = """
import socket, sys
fam, addr = (socket.AF_INET6, "2001:db8::2") if sys.argv[1] == "6" else (socket.AF_INET, "192.168.1.2")
s = socket.socket(fam); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((addr, 80)); s.listen(1)
print("ready", flush=True)
c, _ = s.accept(); c.recv(1000); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + b"x" * 3000); c.close()
"""
for family, kind, addr in (("4", socket.AF_INET, "192.168.1.2"), ("6", socket.AF_INET6, "2001:db8::2")):
    server = subprocess.Popen(["ip", "netns", "exec", "far", sys.executable, "-c", SERVER, family], stdout=subprocess.PIPE)
    server.stdout.readline()
    s = socket.socket(kind)
    s.connect((addr, 80))
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    while s.recv(4000):
        pass
    s.close()
    server.wait()
    refused = socket.socket(kind)
    try:
        refused.connect((addr, 81))
    except OSError:
        pass
    u = socket.socket(kind, socket.SOCK_DGRAM)
    u.sendto(b"hello", (addr, 9))
    u.sendto(b"x" * 3000, (addr, 9))
time.sleep(0.5)
END
sleep 1
kill -INT "$tcpdump"
wait "$tcpdump" || true
