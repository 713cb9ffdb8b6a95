"""Answers echo requests on tun0 with scapy, as its tutorial would."""
from scapy.all import ICMP, IP, TunTapInterface

tun = TunTapInterface("tun0")
while True:
    packet = tun.recv()
    if packet is None or ICMP not in packet or packet[ICMP].type != 8:
        continue
    reply = IP(src=packet[IP].dst, dst=packet[IP].src) / ICMP(
        type=0, id=packet[ICMP].id, seq=packet[ICMP].seq) / packet[ICMP].payload
    tun.send(reply)
