"""Real traffic through moontap: one echo, and TCP by iperf3 over two joined ports. Used by run.py."""
import json
import shutil
import socket
import subprocess
import time

import measure as m


def echo_answered(addr, patience_s=0.005):
    """Sends one echo request by a ping socket; did its answer come?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as ping:
        ping.settimeout(patience_s)
        try:
            ping.sendto(bytes([8, 0, 0, 0, 0, 0, 0, 1]), (addr, 0))
            return ping.recv(64)[0] == 0
        except OSError:
            return False


def _ends_add():
    """Two namespaces, each with a veth pair into this one: left0 and right0 are ours."""
    for side, addr in (("left", "10.1.1.1"), ("right", "10.1.1.2")):
        m.sh("ip", "netns", "add", side)
        m.sh("ip", "link", "add", side + "0", "type", "veth", "peer", "name", "eth0", "netns", side)
        m.sh("ip", "-n", side, "addr", "add", addr + "/24", "dev", "eth0")
        m.sh("ip", "-n", side, "link", "set", "eth0", "up")
        m.sh("ip", "link", "set", side + "0", "up")


def _ends_del():
    for side in ("left", "right"):
        m.sh("ip", "link", "del", side + "0")
        m.sh("ip", "netns", "del", side)


def _gbits(seconds):
    """TCP from left to right; None if no connection comes about."""
    inside = ["ip", "netns", "exec"]
    server = subprocess.Popen(inside + ["right", "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL)
    try:
        m.until("left reaches right", lambda: subprocess.run(
            inside + ["left", "ping", "-c1", "-W1", "10.1.1.2"], capture_output=True).returncode == 0)
        time.sleep(0.2)
        done = subprocess.run(inside + ["left", "iperf3", "-J", "-c", "10.1.1.2", "-t", str(seconds)],
                              capture_output=True, text=True)
        return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9
    finally:
        server.terminate()
        server.wait()


def _over_kernel(seconds):
    m.sh("ip", "link", "add", "br0", "type", "bridge")
    m.sh("ip", "link", "set", "br0", "up")
    for side in ("left", "right"):
        m.sh("ip", "link", "set", side + "0", "master", "br0")
    try:
        return _gbits(seconds)
    finally:
        m.sh("ip", "link", "del", "br0")


def _over_moontap(argv, seconds):
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        return _gbits(seconds)
    finally:
        process.terminate()
        process.wait()


def bridge_compare(moontap, seconds):
    """{"kernel": Gbit/s, "moontap": Gbit/s}, the best of three turns each; {} without iperf3."""
    if not shutil.which("iperf3"):
        return {}
    best = {"kernel": 0, "moontap": 0}
    _ends_add()
    try:
        for _ in range(3):
            best["kernel"] = max(best["kernel"], _over_kernel(seconds))
            best["moontap"] = max(best["moontap"], _over_moontap(moontap("bridge", "left0", "right0"), seconds))
    except (RuntimeError, KeyError, ValueError) as why:
        best["refused"] = str(why)
    finally:
        _ends_del()
    return best


def forward_compare(moontap, seconds):
    """{"plain": Gbit/s, "offload": Gbit/s} between two tuns, the best of three turns each; {} without iperf3."""
    if not shutil.which("iperf3"):
        return {}
    best = {"plain": 0, "offload": 0}
    for side in ("left", "right"):
        m.sh("ip", "netns", "add", side)
    try:
        for _ in range(3):
            for way in best:
                best[way] = max(best[way], _over_moontap(moontap("forward", way), seconds))
    except (RuntimeError, KeyError, ValueError) as why:
        best["refused"] = str(why)
    finally:
        for side in ("left", "right"):
            m.sh("ip", "netns", "del", side)
    return best


def forward_lines(got):
    if not got:
        return []
    if "refused" in got:
        return [f"TCP between two tuns: {got['refused']}"]
    return [f"TCP between two tuns: {got['offload']:.1f} Gbit/s, segments cut before: {got['plain']:.1f} "
            f"(ratio {got['offload'] / got['plain']:.2f}, wanted 2.00)"]


def bridge_lines(got):
    if not got:
        return ["TCP over mt.bridge: iperf3 is not installed"]
    if "refused" in got:
        return [f"TCP over mt.bridge: {got['refused']}"]
    return [f"TCP over mt.bridge: {got['moontap']:.1f} Gbit/s, over the kernel's: {got['kernel']:.1f} "
            f"(ratio {got['moontap'] / got['kernel']:.2f}, wanted 0.50)"]
