#!/usr/bin/python3
"""Makes the captures that scapy can make: ./make.py writes them beside itself, the same bytes each time.

Needs python3-scapy and text2pcap. The tests only read what is committed; real.pcapng is
record.sh's. Addresses are those of documentation (RFC 5737, 3849) and private networks.
"""
import os
import random
import struct
import subprocess
import sys

from scapy.all import (
    ARP, BOOTP, DHCP, DNS, DNSQR, DNSRR, DNSRRMX, DNSRROPT, DNSRRSOA, DNSRRSRV, GRE, ICMP, IP, SCTP, TCP, UDP,
    CookedLinux, Dot1AD, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
    ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6MLReport, ICMPv6MLReport2, ICMPv6MLDMultAddrRec,
    ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo, ICMPv6NDOptRDNSS, ICMPv6NDOptRedirectedHdr,
    ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPOption,
    IPOption_LSRR, IPOption_RR, IPOption_Router_Alert, IPOption_SSRR, IPOption_Timestamp, IPv6,
    IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN, Raw, RouterAlert,
    SCTPChunkAbort, SCTPChunkCookieAck, SCTPChunkCookieEcho, SCTPChunkData, SCTPChunkHeartbeatAck,
    SCTPChunkHeartbeatReq, SCTPChunkInit, SCTPChunkInitAck, SCTPChunkSACK, SCTPChunkShutdown,
    SCTPChunkShutdownAck, SCTPChunkShutdownComplete, VXLAN, fragment, fragment6, wrpcap, raw)
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3mq, IGMPv3mr, IGMPv3gr

HERE = os.path.dirname(os.path.abspath(__file__))
A, B = "192.0.2.1", "198.51.100.7"
A6, B6 = "2001:db8::1", "2001:db8:1::7"
L6, M6 = "fe80::1", "fe80::ff:fe00:2"
MAC_A, MAC_B = "02:00:00:00:00:01", "02:00:00:00:00:02"
E = Ether(src=MAC_A, dst=MAC_B)
random.seed(1)


def ip(src=A, dst=B, **more):
    return IP(src=src, dst=dst, **more)


def ip6(src=A6, dst=B6, **more):
    return IPv6(src=src, dst=dst, **more)


def data(n):
    return Raw(bytes(i & 0xff for i in range(n)))


def save(name, packets, **more):
    """Writes NAME.pcap: a packet a millisecond, from 2024-01-01 on."""
    for i, p in enumerate(packets):
        p.time = 1704067200 + i / 1000
    wrpcap(os.path.join(HERE, name + ".pcap"), packets, **more)


def patched(packet, offset, new):
    """The same bytes but for those at offset."""
    old = raw(packet)
    return Ether(old[:offset] + new + old[offset + len(new):])


def arp():
    who = ARP(op=1, hwsrc=MAC_A, psrc="192.168.1.1", hwdst="00:00:00:00:00:00", pdst="192.168.1.134")
    yes = ARP(op=2, hwsrc=MAC_B, psrc="192.168.1.134", hwdst=MAC_A, pdst="192.168.1.1")
    all_ = Ether(src=MAC_A, dst="ff:ff:ff:ff:ff:ff")
    yield all_ / who
    yield E / yes
    yield all_ / who / (b"\0" * 18)
    yield all_ / ARP(op=1, hwsrc=MAC_A, psrc="0.0.0.0", hwdst="00:00:00:00:00:00", pdst="192.168.1.5")
    yield all_ / ARP(op=1, hwsrc=MAC_A, psrc="192.168.1.5", hwdst="00:00:00:00:00:00", pdst="192.168.1.5")
    yield all_ / ARP(op=2, hwsrc=MAC_A, psrc="192.168.1.5", hwdst=MAC_A, pdst="192.168.1.5")
    yield all_ / ARP(op=1, hwsrc=MAC_A, psrc="192.168.1.1", hwdst=MAC_B, pdst="192.168.1.134")
    yield E / ARP(op=3, hwsrc=MAC_A, psrc="0.0.0.0", hwdst=MAC_B, pdst="0.0.0.0")
    yield E / ARP(op=4, hwsrc=MAC_A, psrc="192.168.1.1", hwdst=MAC_B, pdst="192.168.1.2")
    yield E / ARP(op=8, hwsrc=MAC_A, psrc="192.168.1.1", hwdst=MAC_B, pdst="192.168.1.2")
    yield E / ARP(op=9, hwsrc=MAC_A, psrc="192.168.1.1", hwdst=MAC_B, pdst="192.168.1.2")
    yield E / ARP(op=77, hwsrc=MAC_A, psrc="192.168.1.1", hwdst=MAC_B, pdst="192.168.1.2")
    yield E / Dot1Q(vlan=5, prio=3) / who
    yield E / Dot1AD(vlan=100) / Dot1Q(vlan=7, id=1) / yes


def icmp4():
    udp = ip(B, A, id=7) / UDP(sport=53, dport=40000) / data(20)
    tcp = ip(B, A, id=8, flags="DF") / TCP(sport=80, dport=40000, seq=1000, flags="S")
    echo = ip(B, A, id=9) / ICMP(id=1, seq=2) / data(40)
    other = ip(B, A, id=10, proto=47) / data(8)
    later = ip(B, A, id=11, frag=185, proto=17) / data(16)
    for t in (8, 0):
        yield ip() / ICMP(type=t, id=0x1234, seq=1) / data(56)
        yield ip() / ICMP(type=t, id=65535, seq=65535)
    for code in range(17):
        yield ip() / ICMP(type=3, code=code) / udp
    yield ip() / ICMP(type=3, code=3) / tcp
    yield ip() / ICMP(type=3, code=3) / echo
    yield ip() / ICMP(type=3, code=2) / other
    yield ip() / ICMP(type=3, code=1) / later
    yield ip() / ICMP(type=3, code=4, nexthopmtu=1400) / tcp
    yield ip() / ICMP(type=3, code=3) / Raw(raw(tcp)[:28])
    yield ip() / ICMP(type=3, code=3) / Raw(raw(udp)[:20])
    yield ip() / ICMP(type=3, code=3) / Raw(raw(udp)[:12])
    yield ip() / ICMP(type=3, code=3)
    for code in range(5):
        yield ip() / ICMP(type=5, code=code, gw="192.0.2.254") / udp
    for code in range(3):
        yield ip() / ICMP(type=11, code=code) / udp
    yield ip() / ICMP(type=11, code=0) / echo
    yield ip() / ICMP(type=4) / udp
    for code, ptr in ((0, 0), (0, 5), (1, 0), (2, 1)):
        yield ip() / ICMP(type=12, code=code, ptr=ptr) / udp
    yield ip() / ICMP(type=13, id=3, seq=4, ts_ori=3600001, ts_rx=0, ts_tx=0)
    yield ip() / ICMP(type=14, id=3, seq=4, ts_ori=3600001, ts_rx=7200002, ts_tx=86399999)
    yield ip() / ICMP(type=15, id=3, seq=4)
    yield ip() / ICMP(type=16, id=3, seq=4)
    yield ip() / ICMP(type=17, id=3, seq=4, addr_mask="0.0.0.0")
    yield ip() / ICMP(type=18, id=3, seq=4, addr_mask="255.255.255.0")
    yield ip(proto=1) / Raw(b"\x09\x00\x00\x00\x01\x02\x07\x08" + b"\xc0\x00\x02\x01\x00\x00\x00\x05")
    yield ip() / ICMP(type=10, code=0)
    for t in (1, 2, 6, 19, 30, 37, 42, 255):
        yield ip() / ICMP(type=t, code=2) / data(4)
    yield ip() / ICMP(type=8, id=1, seq=1, chksum=0xbad) / data(8)
    yield ip(ttl=1, tos=0xb9) / ICMP(type=8, id=1, seq=1) / data(1)
    yield ip(dst="255.255.255.255") / ICMP(type=8, id=1, seq=1)
    yield ip(dst="224.0.0.1") / ICMP(type=8, id=1, seq=1)


def icmp6():
    udp = ip6(B6, A6) / UDP(sport=53, dport=40000) / data(20)
    tcp = ip6(B6, A6) / TCP(sport=80, dport=40000, seq=1000, flags="S")
    echo = ip6(B6, A6) / ICMPv6EchoRequest(id=1, seq=2, data=b"12345678")
    yield ip6() / ICMPv6EchoRequest(id=0x1234, seq=1, data=b"abcdefgh" * 7)
    yield ip6() / ICMPv6EchoReply(id=0x1234, seq=1, data=b"abcdefgh" * 7)
    yield ip6() / ICMPv6EchoRequest(id=0, seq=65535)
    for code in range(9):
        yield ip6() / ICMPv6DestUnreach(code=code) / udp
    yield ip6() / ICMPv6DestUnreach(code=4) / tcp
    yield ip6() / ICMPv6DestUnreach(code=4) / echo
    yield ip6() / ICMPv6PacketTooBig(mtu=1280) / udp
    for code in range(3):
        yield ip6() / ICMPv6TimeExceeded(code=code) / udp
    for code in range(4):
        yield ip6() / ICMPv6ParamProblem(code=code, ptr=6) / udp
    lla = dict(src=L6, dst=M6, hlim=255)
    yield IPv6(src=L6, dst="ff02::1:ff00:2", hlim=255) / ICMPv6ND_NS(tgt=M6) / ICMPv6NDOptSrcLLAddr(lladdr=MAC_A)
    yield IPv6(src="::", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=L6)
    yield IPv6(**lla) / ICMPv6ND_NA(tgt=L6, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC_A)
    yield IPv6(src=L6, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=L6, R=1, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC_A)
    yield IPv6(**lla) / ICMPv6ND_NA(tgt=A6, R=0, S=1, O=0)
    yield IPv6(src=L6, dst="ff02::2", hlim=255) / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=MAC_A)
    yield IPv6(src="::", dst="ff02::2", hlim=255) / ICMPv6ND_RS()
    yield (IPv6(src=L6, dst="ff02::1", hlim=255) /
           ICMPv6ND_RA(chlim=64, M=1, O=1, routerlifetime=1800, reachabletime=30000, retranstimer=1000) /
           ICMPv6NDOptSrcLLAddr(lladdr=MAC_A) / ICMPv6NDOptMTU(mtu=1480) /
           ICMPv6NDOptPrefixInfo(prefix="2001:db8::", prefixlen=64, validlifetime=86400, preferredlifetime=14400) /
           ICMPv6NDOptRDNSS(dns=["2001:db8::53"], lifetime=600))
    yield IPv6(src=L6, dst="ff02::1", hlim=255) / ICMPv6ND_RA(chlim=0, M=0, O=0, routerlifetime=0)
    yield (IPv6(**lla) / ICMPv6ND_Redirect(tgt="fe80::5", dst=B6) / ICMPv6NDOptDstLLAddr(lladdr=MAC_B) /
           ICMPv6NDOptRedirectedHdr(pkt=ip6() / UDP(sport=1, dport=2) / data(6)))
    hop = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])
    yield IPv6(src=L6, dst="ff02::1", hlim=1) / hop / ICMPv6MLQuery(mladdr="::", mrd=10000)
    yield IPv6(src=L6, dst="ff02::db8:1", hlim=1) / hop / ICMPv6MLQuery(mladdr="ff02::db8:1", mrd=1000)
    yield IPv6(src=L6, dst="ff02::db8:1", hlim=1) / hop / ICMPv6MLReport(mladdr="ff02::db8:1")
    yield IPv6(src=L6, dst="ff02::2", hlim=1) / hop / ICMPv6MLDone(mladdr="ff02::db8:1")
    yield IPv6(src=L6, dst="ff02::1", hlim=1) / hop / ICMPv6MLQuery2(mladdr="::", mrd=10000, QQIC=125)
    rec = [ICMPv6MLDMultAddrRec(rtype=4, dst="ff02::db8:1"), ICMPv6MLDMultAddrRec(rtype=6, dst="ff02::db8:2", sources=[A6])]
    yield IPv6(src=L6, dst="ff02::16", hlim=1) / hop / ICMPv6MLReport2(records=rec)
    for t in (100, 127, 138, 139, 140, 151, 200, 255):
        yield ip6(nh=58) / Raw(bytes([t, 1]) + b"\0\0" + b"\0\0\0\x07" + b"12345678")
    yield ip6(nh=58) / Raw(bytes([137, 0, 0, 0]))
    yield ip6(nh=58) / Raw(bytes([135, 0, 0, 0, 0, 0, 0, 0]))
    bad = raw(E / ip6() / ICMPv6EchoRequest(id=1, seq=1, data=b"x"))
    yield IPv6(bad[14:-1] + b"y")


def udp():
    for n in (0, 1, 20, 1000):
        yield ip() / UDP(sport=40000, dport=9999) / data(n)
        yield ip6() / UDP(sport=40000, dport=9999) / data(n)
    yield ip() / UDP(sport=40000, dport=9999, chksum=0) / data(4)
    yield ip() / UDP(sport=40000, dport=9999, chksum=1) / data(4)
    yield ip() / UDP(sport=0, dport=65535) / data(4)
    yield ip(dst="239.1.2.3", ttl=1) / UDP(sport=5000, dport=5001) / data(40)
    yield ip() / UDP(sport=40000, dport=9999, len=4) / data(4)
    yield ip() / UDP(sport=40000, dport=9999, len=100) / data(4)
    yield ip() / UDP(sport=40000, dport=9999, len=9) / data(4)
    yield ip() / UDP(sport=40000, dport=9999, len=0) / data(4)
    yield ip(proto=17) / Raw(b"\x9c\x40\x27")
    yield ip(proto=17) / Raw(b"\x9c\x40\x27\x0f")
    yield ip(proto=136) / data(16)


def tcp():
    opts = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (123456, 0)), ("NOP", None), ("WScale", 7)]
    c = dict(sport=40000, dport=80)
    s = dict(sport=80, dport=40000)
    for net, back in ((ip(), ip(B, A)), (ip6(), ip6(B6, A6))):
        yield net / TCP(seq=1000, flags="S", options=opts, **c)
        yield back / TCP(seq=5000, ack=1001, flags="SA", options=opts, **s)
        yield net / TCP(seq=1001, ack=5001, flags="A", **c)
        yield net / TCP(seq=1001, ack=5001, flags="PA", **c) / b"GET / HTTP/1.0\r\n\r\n"
        yield back / TCP(seq=5001, ack=1019, flags="A", window=0, options=[("NOP", None), ("NOP", None), ("Timestamp", (5, 6))], **s) / data(100)
        yield back / TCP(seq=5201, ack=1019, flags="FPA", **s) / data(7)
        yield net / TCP(seq=1019, ack=5101, flags="A", options=[("NOP", None), ("NOP", None), ("SAck", (5201, 5208))], **c)
        yield net / TCP(seq=1019, ack=5209, flags="FA", **c)
        yield net / TCP(seq=1020, flags="R", **c)
        yield net / TCP(seq=1020, ack=5209, flags="RA", **c)
    me = dict(sport=1024, dport=9000, seq=4294967290)
    for flags in ("", "F", "U", "PU", "SEC", "SAE", "FSRPAUEC", "AN", "SF"):
        yield ip() / TCP(flags=flags, ack=1, urgptr=4, **me)
        yield ip() / TCP(flags=flags, ack=1, urgptr=4, **me) / data(10)
    for o in ([("SAck", (1, 2, 3, 4, 5, 6))], [("Experiment", (0xf989, 1))] if False else [(253, b"\x01\x02")], [(30, b"\x00\x81" + b"x" * 8)], [("EOL", None)],
              [(34, b"12345678")], [(34, b"")], [(19, b"\0" * 16)], [(28, b"\x80\x0a")], [(5, b"")], [(99, b"abc")], [(14, b"\1")], [(15, b"\1\2")],
              [("MSS", 536)], [("WScale", 14)], [("SAckOK", b""), ("EOL", None)], [(6, b"\1\2\3\4")], [(7, b"\1\2\3\4")],
              [(11, b"\0\0\0\5")], [(12, b"\0\0\0\5")], [(13, b"\0\0\0\5")], [(29, b"\1\2" + b"m" * 12)]):
        yield ip() / TCP(flags="A", ack=1, options=o, **me)
    # options that lie, and a header that does
    base = raw(ip() / TCP(flags="S", options=[("MSS", 1460), ("NOP", None), ("WScale", 3)], **me))
    for off, new in ((40, b"\x02\x00"), (40, b"\x02\x01"), (40, b"\x02\x20"), (40, b"\x02\x03"), (45, b"\x03\x02"), (45, b"\x03\x04"), (45, b"\x63\x20")):
        yield IP(base[:off] + new + base[off + len(new):])
    yield ip(proto=6) / Raw(raw(TCP(flags="S", dataofs=4, **me)) + b"abcd")
    yield ip(proto=6) / Raw(raw(TCP(flags="S", dataofs=15, **me)) + b"abcd")
    yield ip(proto=6) / Raw(raw(TCP(flags="S", **me))[:12])
    yield ip(proto=6) / Raw(raw(TCP(flags="S", **me))[:3])
    yield ip() / TCP(sport=1024, dport=9000, flags="A", chksum=1)


def ip_odd():
    whole = ip(id=0x77) / UDP(sport=40000, dport=9999) / data(3000)
    yield from fragment(whole, fragsize=1480)
    yield from fragment(ip(id=0x78) / ICMP(id=5, seq=6) / data(3000), fragsize=1400)
    yield ip(id=0x79, flags="MF", proto=6) / TCP(sport=80, dport=1024, flags="A") / data(12)
    yield ip(id=0x79, frag=4, proto=6) / data(12)
    yield ip(id=0x80, flags="DF+MF") / UDP(sport=40000, dport=9999) / data(8)
    yield ip(id=0x81, frag=8191, proto=17) / data(100)
    yield ip(flags="evil") / UDP(sport=40000, dport=9999) / data(8)
    yield from fragment6(ip6() / IPv6ExtHdrFragment(id=0x1234) / UDP(sport=40000, dport=9999) / data(3000), 1280)
    yield from fragment6(ip6() / IPv6ExtHdrFragment(id=0x1235) / ICMPv6EchoRequest(id=5, seq=6, data=b"x" * 2000), 1280)
    yield ip6() / IPv6ExtHdrFragment(id=0x99, offset=0, m=0) / ICMPv6EchoRequest(id=5, seq=6, data=b"atom")
    yield ip6() / IPv6ExtHdrFragment(id=0x9a, offset=0, m=0) / UDP(sport=40000, dport=9999) / data(4)
    rr = IPOption_RR(pointer=8, routers=["192.0.2.9", "0.0.0.0"])
    for o in ([rr], [IPOption_Timestamp(length=12, pointer=5, oflw=0, flg=1, internet_address="192.0.2.9", timestamp=0)],
              [IPOption_Router_Alert()], [IPOption_LSRR(pointer=4, routers=["192.0.2.9"])], [IPOption_SSRR(pointer=4, routers=["192.0.2.9"])],
              [IPOption(b"\x01"), IPOption(b"\x44\x0c\x05\x00" + b"\0" * 8)], [IPOption(b"\x86\x0b" + b"\0" * 9)],
              [IPOption(b"\x07\x00")], [IPOption(b"\x07\x7f\x04")], [IPOption(b"\x88\x04\x00\x01")], [IPOption(b"\x0b\x04\x05\xdc")]):
        yield ip(options=o) / ICMP(id=1, seq=1) / data(8)
        yield ip(options=o) / UDP(sport=40000, dport=9999) / data(8)
    # IPv6 extension headers
    dst = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0\0\0\0")])
    hop = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])
    for ext in (hop, dst, hop / dst, IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=1), IPv6ExtHdrRouting(type=2, addresses=["2001:db8::9"], segleft=1),
                IPv6ExtHdrRouting(type=4, addresses=[], segleft=0, len=0, reserved=0) if False else dst / dst,
                hop / IPv6ExtHdrRouting(addresses=["2001:db8::9", "2001:db8::a"], segleft=0) / dst):
        yield ip6() / ext / ICMPv6EchoRequest(id=1, seq=1, data=b"12345678")
        yield ip6() / ext / UDP(sport=40000, dport=9999) / data(8)
        yield ip6() / ext / TCP(sport=40000, dport=80, flags="S")
    yield ip6(nh=59)
    yield ip6(nh=59) / data(4)
    yield ip6(nh=60) / IPv6ExtHdrDestOpt(nh=59)
    yield ip6(tc=0xb8, fl=0xabcde, hlim=1) / UDP(sport=40000, dport=9999) / data(8)
    for proto in (0, 3, 9, 50, 51, 88, 89, 94, 103, 112, 115, 200, 253, 255):
        yield ip(proto=proto) / data(24)
    for nh in (3, 50, 88, 200, 255):
        yield ip6(nh=nh) / data(24)
    # IGMP
    yield ip(dst="224.0.0.1", ttl=1, proto=2) / IGMP(type=0x11, mrcode=100)
    yield ip(dst="239.1.2.3", ttl=1, proto=2) / IGMP(type=0x11, mrcode=10, gaddr="239.1.2.3")
    yield ip(dst="239.1.2.3", ttl=1, proto=2) / IGMP(type=0x16, gaddr="239.1.2.3")
    yield ip(dst="239.1.2.3", ttl=1, proto=2) / IGMP(type=0x12, gaddr="239.1.2.3")
    yield ip(dst="224.0.0.2", ttl=1, proto=2) / IGMP(type=0x17, gaddr="239.1.2.3")
    yield ip(dst="224.0.0.22", ttl=1, proto=2) / IGMPv3(type=0x22) / IGMPv3mr(records=[IGMPv3gr(rtype=4, maddr="239.1.2.3"), IGMPv3gr(rtype=6, maddr="239.1.2.4", srcaddrs=["192.0.2.9"])])
    yield ip(dst="224.0.0.1", ttl=1, proto=2) / IGMPv3(type=0x11, mrcode=100) / IGMPv3mq(gaddr="0.0.0.0", qqic=125)


def tunnels():
    inner4 = ip("10.1.1.1", "10.1.1.2", ttl=9) / ICMP(id=1, seq=1) / data(16)
    inner6 = ip6("2001:db8:a::1", "2001:db8:a::2", hlim=9) / UDP(sport=1000, dport=2000) / data(16)
    inner_tcp = ip("10.1.1.1", "10.1.1.2") / TCP(sport=1000, dport=80, flags="S", seq=7, options=[("MSS", 1400)])
    eth4 = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b") / inner4
    who = Ether(src="02:00:00:00:00:0a", dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc="02:00:00:00:00:0a", psrc="10.1.1.1", hwdst="00:00:00:00:00:00", pdst="10.1.1.2")
    for inner in (inner4, inner6, inner_tcp):
        yield ip() / inner
        yield ip6() / inner
        yield ip() / GRE() / inner
        yield ip6() / GRE() / inner
    yield ip() / GRE(chksum_present=1) / inner4
    yield ip() / GRE(key_present=1, key=0x1234) / inner4
    yield ip() / GRE(seqnum_present=1, sequence_number=5) / inner4
    yield ip() / GRE(chksum_present=1, key_present=1, key=7, seqnum_present=1, sequence_number=5) / inner6
    yield ip() / GRE(proto=0x6558) / eth4
    yield ip() / GRE(proto=0x6558) / who
    yield ip() / GRE(proto=0x1234) / data(10)
    yield ip() / GRE(version=1, proto=0x880b, key_present=1) / Raw(b"\0\4\0\1" + b"\xff\x03\0\x21")
    yield ip() / GRE(proto=0x0800)
    for inner in (eth4, who, Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b") / inner6, Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b") / Dot1Q(vlan=9) / inner_tcp):
        yield ip() / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags=8) / inner
    yield ip6() / UDP(sport=50000, dport=4789) / VXLAN(vni=0xabcdef, flags=8) / eth4
    yield ip() / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags=0) / eth4
    yield ip() / UDP(sport=50000, dport=4789) / Raw(b"\x08\0\0")
    yield ip() / ip("10.1.1.1", "10.1.1.2") / ip("10.2.2.1", "10.2.2.2") / ICMP(id=3, seq=3)
    yield ip() / GRE() / ip("10.1.1.1", "10.1.1.2") / UDP(sport=50000, dport=4789) / VXLAN(vni=1, flags=8) / eth4
    deep = inner4
    for i in range(8):
        deep = ip("10.1.%d.1" % i, "10.1.%d.2" % i) / deep
    yield deep
    yield ip() / ip6() / ip("10.1.1.1", "10.1.1.2") / GRE() / inner6


def tagged():
    inner = ip("10.1.1.1", "10.1.1.2") / ICMP(id=1, seq=1) / data(16)
    yield E / Dot1Q(vlan=1) / inner
    yield E / Dot1Q(vlan=4095, prio=7, id=1) / inner
    yield E / Dot1AD(vlan=100, prio=5) / Dot1Q(vlan=200, prio=1) / inner
    yield E / Dot1Q(vlan=100) / Dot1Q(vlan=200) / ip6() / UDP(sport=1, dport=2) / data(3)
    yield E / Dot1AD(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / inner
    yield Ether(src=MAC_A, dst=MAC_B, type=0x8100) / Raw(b"\0\5")
    yield Ether(src=MAC_A, dst=MAC_B, type=0x88cc) / data(20)
    yield Ether(src=MAC_A, dst=MAC_B, type=0x9000) / data(46)
    yield Ether(src=MAC_A, dst=MAC_B, type=0x1234) / data(46)
    yield E / ip(len=40, proto=17) / UDP(sport=1, dport=2, len=20) / data(12) / Raw(b"\0" * 6)


def dns():
    q = DNSQR(qname="www.example.com", qtype="A")

    def ask(payload, sport=40000, net=ip()):
        return net / UDP(sport=sport, dport=53) / payload

    def tell(payload, net=ip(B, A)):
        return net / UDP(sport=53, dport=40000) / payload

    def rr(**f):
        return DNSRR(rrname="www.example.com", ttl=300, **f)

    yield ask(DNS(id=1, rd=1, qd=q))
    yield ask(DNS(id=2, rd=0, qd=DNSQR(qname="www.example.com", qtype="AAAA")), net=ip6())
    yield ask(DNS(id=3, rd=1, ad=1, qd=q, ar=DNSRROPT(rclass=1232)))
    yield ask(DNS(id=4, rd=1, qd=q, ar=DNSRROPT(rclass=4096, z=0x8000)))
    for t in ("NS", "CNAME", "SOA", "PTR", "MX", "TXT", "SRV", "ALL", 257, 65, 64, 43, 48, 46, 47, 999):
        yield ask(DNS(id=5, rd=1, qd=DNSQR(qname="example.com", qtype=t)))
    yield ask(DNS(id=6, rd=1, qd=DNSQR(qname="7.100.51.198.in-addr.arpa", qtype="PTR")))
    yield ask(DNS(id=7, rd=1, qd=DNSQR(qname=".", qtype="NS")))
    yield ask(DNS(id=8, rd=1, qd=DNSQR(qname="version.bind", qtype="TXT", qclass=3)))
    yield ask(DNS(id=8, rd=1, cd=1, qd=DNSQR(qname="www.example.com", qtype="A", qclass=255)))
    yield tell(DNS(id=1, qr=1, rd=1, ra=1, qd=q, an=rr(type="A", rdata="203.0.113.5")))
    yield tell(DNS(id=1, qr=1, aa=1, rd=1, ra=1, qd=q, an=rr(type="A", rdata="203.0.113.5") / rr(type="A", rdata="203.0.113.6")))
    yield tell(DNS(id=2, qr=1, rd=1, ra=1, qd=DNSQR(qname="www.example.com", qtype="AAAA"), an=rr(type="AAAA", rdata="2001:db8::5")), net=ip6(B6, A6))
    yield tell(DNS(id=3, qr=1, rd=1, ra=1, qd=q, an=rr(type="CNAME", rdata="host.example.net") / DNSRR(rrname="host.example.net", ttl=60, type="A", rdata="203.0.113.5")))
    yield tell(DNS(id=4, qr=1, rd=1, ra=1, rcode=3, qd=DNSQR(qname="nx.example.com"), ns=DNSRRSOA(rrname="example.com", ttl=60, mname="ns.example.com", rname="root.example.com", serial=1, refresh=2, retry=3, expire=4, minimum=5)))
    yield tell(DNS(id=5, qr=1, rd=1, ra=1, qd=DNSQR(qname="example.com", qtype="MX"), an=DNSRRMX(rrname="example.com", type="MX", ttl=60, preference=10, exchange="mail.example.com") / DNSRRMX(rrname="example.com", type="MX", ttl=60, preference=20, exchange="mail2.example.com"), ar=DNSRR(rrname="mail.example.com", ttl=60, type="A", rdata="203.0.113.25")))
    yield tell(DNS(id=6, qr=1, rd=1, ra=1, qd=DNSQR(qname="example.com", qtype="TXT"), an=DNSRR(rrname="example.com", ttl=60, type="TXT", rdata=["v=spf1 -all", "two \"words\" \\ \t"])))
    yield tell(DNS(id=7, qr=1, rd=1, ra=1, qd=DNSQR(qname="example.com", qtype="NS"), an=DNSRR(rrname="example.com", ttl=60, type="NS", rdata="ns1.example.com") / DNSRR(rrname="example.com", ttl=60, type="NS", rdata="ns2.example.com"), ns=DNSRR(rrname="example.com", ttl=60, type="NS", rdata="ns3.example.com"), ar=DNSRR(rrname="ns1.example.com", type="A", rdata="203.0.113.53") / DNSRROPT(rclass=1232)))
    yield tell(DNS(id=8, qr=1, rd=1, ra=1, qd=DNSQR(qname="7.100.51.198.in-addr.arpa", qtype="PTR"), an=DNSRR(rrname="7.100.51.198.in-addr.arpa", ttl=60, type="PTR", rdata="host.example.net")))
    yield tell(DNS(id=9, qr=1, rd=1, ra=1, qd=DNSQR(qname="_sip._udp.example.com", qtype="SRV"), an=DNSRRSRV(rrname="_sip._udp.example.com", ttl=60, priority=1, weight=2, port=5060, target="sip.example.com")))
    yield tell(DNS(id=10, qr=1, rd=1, ra=1, qd=DNSQR(qname="example.com", qtype="SOA"), an=DNSRRSOA(rrname="example.com", ttl=60, mname="ns.example.com", rname="root.example.com", serial=2024010101, refresh=2, retry=3, expire=4, minimum=5)))
    for rcode in (1, 2, 4, 5, 6, 9, 15):
        yield tell(DNS(id=11, qr=1, rd=1, ra=1, rcode=rcode, qd=q))
    yield tell(DNS(id=12, qr=1, tc=1, rd=1, ra=0, qd=q))
    yield tell(DNS(id=12, qr=1, rd=1, ra=1, ad=1, z=0, qd=q, an=rr(type="A", rdata="203.0.113.5")))
    yield tell(DNS(id=13, qr=1, opcode=4, aa=1, qd=DNSQR(qname="example.com", qtype="SOA")))
    yield ask(DNS(id=13, qr=0, opcode=4, aa=1, rd=0, qd=DNSQR(qname="example.com", qtype="SOA")))
    yield ask(DNS(id=14, qr=0, opcode=5, rd=0, qd=DNSQR(qname="example.com", qtype="SOA")))
    yield ask(DNS(id=14, qr=0, opcode=2, rd=0, qd=DNSQR(qname="example.com", qtype="SOA")))
    yield tell(DNS(id=15, qr=1, rd=1, ra=1, qd=q, an=DNSRR(rrname="www.example.com", ttl=1, type=65280, rdata=b"\1\2\3")))
    two = DNS(id=16, rd=1, qd=DNSQR(qname="a.example.com") / DNSQR(qname="b.example.com", qtype="AAAA"))
    yield ask(two)
    yield ip(dst="224.0.0.251", ttl=255) / UDP(sport=5353, dport=5353) / DNS(id=0, rd=0, qd=DNSQR(qname="_http._tcp.local", qtype="PTR"))
    yield ip(dst="224.0.0.251", ttl=255) / UDP(sport=5353, dport=5353) / DNS(id=0, qr=1, aa=1, rd=0, qd=None, an=DNSRR(rrname="host.local", rclass=0x8001, ttl=120, type="A", rdata="192.168.1.9"))
    # by hand, with names pointing at names
    head = struct.pack("!6H", 17, 0x8180, 1, 3, 0, 0)
    body = (b"\3www\7example\3com\0\0\1\0\1" + b"\xc0\x0c\0\5\0\1\0\0\1\x2c\0\7\4host\xc0\x10" +
            b"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x05" + b"\xc0\x10\0\x0f\0\1\0\0\0\x3c\0\x09\0\x0a\4mail\xc0\x10")
    yield tell(Raw(head + body))
    yield tell(Raw(head + body[:40]))
    yield tell(Raw(struct.pack("!6H", 18, 0x8180, 1, 1, 0, 0) + b"\xc0\x0c\0\1\0\1"))
    yield tell(Raw(struct.pack("!6H", 18, 0x8180, 1, 0, 0, 0) + b"\3a.b\2\x01\xff\0\0\1\0\1"))
    yield tell(Raw(struct.pack("!6H", 18, 0x8180, 1, 0, 0, 0) + b"\x50abc\0\0\1\0\1"))
    yield tell(Raw(struct.pack("!6H", 18, 0x8180, 1, 0, 0, 0) + b"\3abc"))
    yield ask(Raw(struct.pack("!6H", 18, 0x0100, 1, 0, 0, 0)))
    yield ask(Raw(struct.pack("!6H", 18, 0x0100, 0, 0, 0, 0)))
    yield ask(Raw(b"\0\1\1\0\0\1"))
    yield ip() / TCP(sport=40000, dport=53, flags="PA", seq=1, ack=1) / Raw(struct.pack("!H", len(raw(DNS(id=1, rd=1, qd=q))))) / DNS(id=1, rd=1, qd=q)


def dhcp():
    mac = bytes.fromhex("020000000001")

    def boot(src, dst, sport, dport, options, **f):
        return ip(src, dst) / UDP(sport=sport, dport=dport) / BOOTP(chaddr=mac, xid=0x1234, **f) / DHCP(options=options)

    yield boot("0.0.0.0", "255.255.255.255", 68, 67, [("message-type", "discover"), ("requested_addr", "192.168.1.50"), ("hostname", "host"), ("param_req_list", [1, 3, 6, 15]), "end"])
    yield boot("192.168.1.1", "192.168.1.50", 67, 68, [("message-type", "offer"), ("server_id", "192.168.1.1"), ("lease_time", 3600), ("subnet_mask", "255.255.255.0"), ("router", "192.168.1.1"), ("name_server", "192.168.1.1"), ("renewal_time", 1800), ("rebinding_time", 3150), "end"], op=2, yiaddr="192.168.1.50", siaddr="192.168.1.1")
    yield boot("0.0.0.0", "255.255.255.255", 68, 67, [("message-type", "request"), ("requested_addr", "192.168.1.50"), ("server_id", "192.168.1.1"), "end", "pad", "pad"], flags=0x8000, secs=3)
    yield boot("192.168.1.1", "255.255.255.255", 67, 68, [("message-type", "ack"), ("server_id", "192.168.1.1"), ("lease_time", 3600), ("domain", "example.com"), "end"], op=2, yiaddr="192.168.1.50", sname=b"server", file=b"boot.img")
    yield boot("192.168.1.1", "255.255.255.255", 67, 68, [("message-type", "nak"), ("error_message", "no such lease"), "end"], op=2)
    yield boot("192.168.1.50", "192.168.1.1", 68, 67, [("message-type", "release"), ("client_id", b"\1" + mac), "end"], ciaddr="192.168.1.50")
    yield boot("192.168.1.50", "192.168.1.1", 68, 67, [("message-type", "inform"), ("vendor_class_id", "test"), "end"], ciaddr="192.168.1.50", giaddr="192.168.1.254", hops=1)
    yield ip("0.0.0.0", "255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(chaddr=mac, xid=0x1234, options=b"\0" * 64)
    yield ip("0.0.0.0", "255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(op=3, chaddr=mac)
    yield ip("0.0.0.0", "255.255.255.255") / UDP(sport=68, dport=67) / Raw(raw(BOOTP(chaddr=mac))[:100])
    yield ip("0.0.0.0", "255.255.255.255") / UDP(sport=68, dport=67) / Raw(b"\1")
    yield ip("0.0.0.0", "255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(htype=6, hlen=8, chaddr=mac)


def sctp():
    c = SCTP(sport=40000, dport=7000, tag=0)
    t = SCTP(sport=40000, dport=7000, tag=0x1234)
    s = SCTP(sport=7000, dport=40000, tag=0x5678)
    for net, back in ((ip(), ip(B, A)), (ip6(), ip6(B6, A6))):
        yield net / c / SCTPChunkInit(init_tag=0x5678, a_rwnd=65535, n_out_streams=10, n_in_streams=10, init_tsn=100)
        yield back / s / SCTPChunkInitAck(init_tag=0x1234, a_rwnd=65535, n_out_streams=10, n_in_streams=10, init_tsn=200)
        yield net / t / SCTPChunkCookieEcho(cookie=b"cookiecookie")
        yield back / s / SCTPChunkCookieAck()
        yield net / t / SCTPChunkData(beginning=1, ending=1, tsn=100, stream_id=1, stream_seq=0, proto_id=0, data=b"hello")
        yield back / s / SCTPChunkSACK(cumul_tsn_ack=100, a_rwnd=65530)
        yield back / s / SCTPChunkSACK(cumul_tsn_ack=100, a_rwnd=65530, gap_ack_list=["2:3"], dup_tsn_list=[100])
        yield net / t / SCTPChunkHeartbeatReq()
        yield back / s / SCTPChunkHeartbeatAck()
        yield net / t / SCTPChunkShutdown(cumul_tsn_ack=200)
        yield back / s / SCTPChunkShutdownAck()
        yield net / t / SCTPChunkShutdownComplete()
        yield net / t / SCTPChunkAbort()
    yield ip() / t / SCTPChunkSACK(cumul_tsn_ack=1, a_rwnd=2) / SCTPChunkData(beginning=1, ending=0, tsn=101, stream_id=0, stream_seq=1, proto_id=46, data=b"0123456789") / SCTPChunkData(beginning=0, ending=1, unordered=1, tsn=102, stream_id=0, stream_seq=1, proto_id=46, data=b"01")
    bad = raw(ip() / t / SCTPChunkCookieAck())
    yield IP(bad[:28] + b"\0\0\0\1" + bad[32:])


def malformed():
    good = raw(E / ip(id=1) / UDP(sport=40000, dport=9999) / data(20))
    good6 = raw(E / ip6() / UDP(sport=40000, dport=9999) / data(20))
    who = raw(E / ARP(op=1, hwsrc=MAC_A, psrc="192.168.1.1", pdst="192.168.1.2"))
    echo = raw(E / ip(id=1) / ICMP(id=1, seq=1) / data(20))
    for n in (14, 15, 20, 33, 34, 38, 41, 42, 50):
        yield Ether(good[:n])
    for n in (15, 40, 53, 54, 58, 62, 70):
        yield Ether(good6[:n])
    for n in (14, 16, 22, 30, 41):
        yield Ether(who[:n])
    for n in (34, 35, 38, 41, 50):
        yield Ether(echo[:n])
    for at, new in ((14, b"\x55"), (14, b"\x44"), (14, b"\x4f"), (14, b"\x65"), (16, b"\0\0"), (16, b"\0\x13"), (16, b"\xff\xff"), (24, b"\0\0")):
        old = good
        yield Ether(old[:at] + new + old[at + len(new):])
    for at, new in ((14, b"\x40"), (18, b"\xff\xff"), (18, b"\0\0"), (20, b"\0"), (20, b"\x2b"), (20, b"\x2c"), (20, b"\x3c"), (20, b"\x33")):
        yield Ether(good6[:at] + new + good6[at + len(new):])
    for at, new in ((14, b"\0\6"), (16, b"\x86\xdd"), (18, b"\x08"), (19, b"\x10"), (16, b"\x08\x06"), (18, b"\0"), (19, b"\0")):
        yield Ether(who[:at] + new + who[at + len(new):])


def cut():
    """ICMP messages that end too early, in datagrams whose length says so."""
    quoted = raw(ip("192.0.2.5", "192.0.2.6") / UDP(sport=1, dport=2) / data(4))
    quoted6 = raw(ip6("2001:db8::5", "2001:db8::6") / UDP(sport=1, dport=2) / data(4))
    for t, codes in ((0, (0,)), (3, (0, 2, 3, 4)), (5, (0,)), (9, (0,)), (11, (0, 1)), (12, (0, 1)), (13, (0,)), (14, (0,)), (18, (0,))):
        for code in codes:
            for n in (0, 1, 2, 4, 7, 8, 19, 27, 28, 35):
                yield ip(proto=1) / Raw((bytes([t, code, 0, 0, 1, 2, 5, 6]) + quoted)[:n])
    for t, codes in ((1, (0, 1, 2, 3, 4, 5)), (2, (0,)), (3, (0, 1, 2)), (4, (0,)), (128, (0,)), (130, (0,)), (131, (0,)), (133, (0,)), (134, (0,)), (135, (0,)), (136, (0,)), (137, (0,)), (143, (0,)), (100, (0,))):
        for code in codes:
            for n in (0, 1, 2, 4, 7, 8, 23, 24, 25, 28, 47, 48, 59):
                yield ip6(nh=58) / Raw((bytes([t, code, 0, 0, 1, 2, 0, 6]) + quoted6)[:n])
    for n in (0, 3, 8, 11, 12, 14, 16, 20, 31, 32):
        yield ip(proto=132) / Raw(raw(SCTP(sport=1, dport=2) / SCTPChunkInit())[:n])
    for port, body in ((53, DNS(qd=DNSQR(qname="a.b"))), (67, BOOTP()), (4789, VXLAN(vni=3, flags=8) / E / ip() / UDP()), (2, data(60))):
        for n in (0, 1, 3, 4, 7, 8, 12, 20, 30, 50):
            yield ip(proto=17) / Raw(raw(UDP(sport=1, dport=port) / body)[:n])


def main():
    on_eth = [E / p for part in (icmp4, icmp6, udp) for p in part()]
    save("icmp_udp", list(arp()) + on_eth)
    save("tcp_sctp", [E / p for part in (tcp, sctp) for p in part()])
    save("ip_tunnels", [E / p for part in (ip_odd, tunnels) for p in part()] + list(tagged()))
    save("dns_dhcp", [E / p for part in (dns, dhcp) for p in part()])
    save("malformed", list(malformed()) + [E / p for p in cut()])
    some = [ip() / ICMP(id=1, seq=1) / data(8), ip6() / ICMPv6EchoRequest(id=1, seq=1, data=b"12345678"),
            ip() / TCP(sport=40000, dport=80, flags="S", options=[("MSS", 1460)]), ip6() / UDP(sport=40000, dport=9999) / data(8),
            ip() / GRE() / ip("10.1.1.1", "10.1.1.2") / UDP(sport=1, dport=2), ip(proto=17) / Raw(b"\1\2\3")]
    save("raw", [IP(raw(p)) if p.version == 4 else IPv6(raw(p)) for p in some], linktype=101)
    who = ARP(op=1, hwsrc=MAC_A, psrc="192.168.1.1", hwdst="00:00:00:00:00:00", pdst="192.168.1.134")
    save("sll", [CookedLinux(pkttype=i % 5, lladdrtype=1, lladdrlen=6, src=bytes.fromhex("020000000001") + b"\0\0") / p for i, p in enumerate(some + [who])], linktype=113)
    sll2 = [Raw(struct.pack("!HHIHBB8s", t, 0, 1, 1, i % 5, 6, bytes.fromhex("020000000001") + b"\0\0") + raw(p))
            for i, (t, p) in enumerate([(0x0800 if isinstance(p, IP) else 0x86dd, p) for p in some] + [(0x0806, who)])]
    save("sll2", sll2, linktype=276)
    save("null", [Raw(struct.pack("<I", 2 if isinstance(p, IP) else 30) + raw(p)) for p in some], linktype=0)
    # text2pcap: bytes that somebody typed
    subprocess.run(["text2pcap", "-q", "-F", "pcap", "-t", "%s.%f", os.path.join(HERE, "typed.txt"), os.path.join(HERE, "typed.pcap")], check=True)


if __name__ == "__main__":
    sys.exit(main())
