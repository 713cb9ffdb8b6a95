"""One turn of one responder: started, loaded, and what it cost. Used by run.py."""
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import time

FOREIGN_MAC = "02:00:00:00:00:99"
TARGET, FROM = "192.168.1.100", "192.168.1.134"  # on a tun or tap
VETH_TARGET, VETH_FROM = "10.1.1.100", "10.1.1.1"
LINKS = {"tun": "tun0", "tap": "tap0", "veth": "veth0"}
CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]
SETTLE_S, READY_S, WARM_MS = 0.02, 5.0, 30
programs = {}  # "load", "loops", "moontap": where they were built


def sh(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Turn:
    """What one turn gave: CPU ns a packet, packets answered, seconds of load, calls a packet."""

    def __init__(self, ns, packets, seconds, sent):
        self.ns, self.packets, self.seconds, self.sent = ns, packets, seconds, sent


class Variant:
    """A responder on a kind of link: tun, tap or veth. argv None: the kernel's own."""

    def __init__(self, name, kind, argv, addresses=False, source=None, answers=True):
        self.name, self.kind, self.argv = name, kind, argv
        self.target = VETH_TARGET if kind == "veth" else TARGET
        self.source = source or (VETH_FROM if kind == "veth" else FROM)
        self.addresses = addresses  # gives its device the address itself
        self.answers = answers  # the kernel gets echo replies from it
        self.turns, self.calls, self.refused, self.resident_kib = [], None, None, None

    def best(self):
        return min(t.ns for t in self.turns)

    def median(self):
        return statistics.median(t.ns for t in self.turns)

    def kpps(self, of=max):
        return of(t.packets / t.seconds for t in self.turns) / 1000


def net_dev(link):
    """(rx_packets, rx_dropped, tx_packets, tx_dropped) of a link, or None if there is none."""
    with open("/proc/net/dev") as file:
        for line in file:
            name, _, numbers = line.partition(":")
            if name.strip() == link:
                n = [int(word) for word in numbers.split()]
                return n[1], n[3], n[9], n[11]
    return None


def icmp(name):
    with open("/proc/net/snmp") as file:
        keys, values = [line.split() for line in file if line.startswith("Icmp:")]
    return int(values[keys.index(name)])


def cpu_ns(pid):
    """Time on a processor of all threads of a process."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            total += int(file.read().split()[0])
    return total


def until(what, is_so):
    end = time.monotonic() + READY_S
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not so after {READY_S:.0f} s")
        time.sleep(0.001)


def lab_add():
    """veth0 here with an address, veth1 in the namespace lab without one."""
    sh("ip", "netns", "add", "lab")
    sh("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", "lab")
    sh("ip", "link", "set", "veth0", "up")
    sh("ip", "-n", "lab", "link", "set", "veth1", "up")
    sh("ip", "addr", "add", f"{VETH_FROM}/24", "dev", "veth0")
    neighbour_is(FOREIGN_MAC)
    until("veth0 has a carrier", lambda: "LOWER_UP" in sh("ip", "link", "show", "veth0"))


def lab_del():
    sh("ip", "link", "del", "veth0")
    sh("ip", "netns", "del", "lab")


def neighbour_is(mac):
    sh("ip", "neigh", "replace", VETH_TARGET, "lladdr", mac, "dev", "veth0")


class Responder:
    """A variant's process, ready to answer; ended on leaving the block."""

    def __init__(self, variant, core=CORE):
        self.variant, self.core = variant, core

    def __enter__(self):
        words = ["taskset", "-c", str(self.core)] + self.variant.argv
        if self.variant.kind == "veth":
            words = ["ip", "netns", "exec", "lab"] + words
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        try:
            self._wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        if self.variant.kind != "veth":
            until("the device has gone", lambda: net_dev(LINKS[self.variant.kind]) is None)

    def _lives(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.process.stderr.read().strip().splitlines()[-1])
        return True

    def _wait_ready(self):
        variant, link = self.variant, LINKS[self.variant.kind]
        until(f"{link} exists", lambda: self._lives() and net_dev(link) is not None)
        if variant.kind != "veth" and not variant.addresses:
            sh("ip", "addr", "add", f"{FROM}/24", "dev", link)
            sh("ip", "link", "set", link, "up")
        if variant.answers:
            until(f"{variant.name} answers", lambda: self._lives() and answers_one(link, variant))
        else:
            time.sleep(0.15)
            self._lives()
        flood(variant, WARM_MS)


def answers_one(link, variant):
    before = icmp("InEchoReps")
    if "UP" not in sh("ip", "link", "show", link).split(">")[0].replace("LOWER_UP", ""):
        return False
    flood(variant, 1)
    return icmp("InEchoReps") > before


def flood(variant, ms):
    return json.loads(sh(
        "taskset", "-c", str(LOAD_CORE), programs["load"], "flood", LINKS[variant.kind], f"ms={ms}",
        f"to={variant.target}", f"from={variant.source}", f"l2={int(variant.kind != 'tun')}",
        f"mac={FOREIGN_MAC}", f"bypass={int(variant.kind != 'veth')}"))


def settled(link):
    """Waits until nothing comes in any more; (rx_packets, rx_dropped, ...)."""
    last = None
    while last != net_dev(link):
        last = net_dev(link)
        time.sleep(SETTLE_S)
    return last


def measure(responder, ms):
    """A load of `ms`. Raises where the answers are not right, so that no wrong one is quick."""
    variant = responder.variant
    link = LINKS[variant.kind]
    rx = settled(link)[0]
    cpu, replies, bad = cpu_ns(responder.pid), icmp("InEchoReps"), icmp("InCsumErrors")
    load = flood(variant, ms)
    packets = settled(link)[0] - rx
    spent = cpu_ns(responder.pid) - cpu
    answered = icmp("InEchoReps") - replies
    if not packets:
        raise RuntimeError(f"answered nothing of {load['sent']} packets")
    if icmp("InCsumErrors") != bad:
        raise RuntimeError(f"{icmp('InCsumErrors') - bad} answers had a wrong checksum")
    if variant.answers and answered < packets * 0.99:
        raise RuntimeError(f"wrote {packets} packets, of which {answered} arrived as echo replies")
    return Turn(spent / packets, packets, load["seconds"], load["sent"])


def calls_per_packet(responder, ms):
    """System calls of the responder a packet, as perf counts them; None without perf."""
    if not shutil.which("perf"):
        return None
    perf = subprocess.Popen(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", str(responder.pid)],
                            stderr=subprocess.PIPE, text=True)
    time.sleep(0.2)
    packets = measure(responder, ms).packets
    perf.send_signal(signal.SIGINT)
    found = re.search(r"^(\d+),", perf.communicate()[1], re.M)
    return int(found.group(1)) / packets if found else None


def core_busy_s(core):
    """Seconds that a core has not been idle, in ticks of 10 ms."""
    with open("/proc/stat") as file:
        for line in file:
            if line.startswith(f"cpu{core} "):
                ticks = [int(word) for word in line.split()[1:9]]
                return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
    return 0


def kernel_turn(ms):
    """The kernel as responder: what arrives at veth1 is steered to the responder's core (RPS), and all
    that this core does is its cost."""
    mac = json.loads(sh("ip", "-n", "lab", "-json", "link", "show", "veth1"))[0]["address"]
    own = json.loads(sh("ip", "-json", "link", "show", "veth0"))[0]["address"]
    steer = f"echo {1 << CORE:x} > /sys/class/net/veth1/queues/rx-0/rps_cpus"
    sh("ip", "netns", "exec", "lab", "sh", "-c", steer)
    sh("ip", "-n", "lab", "addr", "add", f"{VETH_TARGET}/24", "dev", "veth1")
    sh("ip", "-n", "lab", "neigh", "replace", VETH_FROM, "lladdr", own, "dev", "veth1")
    try:
        replies, busy = icmp("InEchoReps"), core_busy_s(CORE)
        load = json.loads(sh("taskset", "-c", str(LOAD_CORE), programs["load"], "flood", "veth0", f"ms={ms}",
                             f"to={VETH_TARGET}", f"from={VETH_FROM}", "l2=1", f"mac={mac}"))
        settled("veth0")
        spent, answered = core_busy_s(CORE) - busy, icmp("InEchoReps") - replies
    finally:
        sh("ip", "-n", "lab", "addr", "del", f"{VETH_TARGET}/24", "dev", "veth1")
        sh("ip", "netns", "exec", "lab", "sh", "-c", "echo 0 > /sys/class/net/veth1/queues/rx-0/rps_cpus")
    if not answered:
        raise RuntimeError(f"the kernel answered none of {load['sent']}")
    return Turn(spent * 1e9 / answered, answered, load["seconds"], load["sent"])


PARTS = 3  # of a turn: the machine's fast moments are shorter than a turn may be


def turn(variant, ms):
    if variant.argv is None:
        variant.turns.append(kernel_turn(ms))
        return
    with Responder(variant) as responder:
        for _ in range(PARTS):
            variant.turns.append(measure(responder, ms // PARTS))
        variant.resident_kib = resident_kib(responder.pid)


def latency(variant, count, spin):
    """Percentiles in us, one ping at a time: on one core, or spinning on two."""
    with Responder(variant) as responder:
        core = LOAD_CORE if spin else CORE
        del responder
        return json.loads(sh("taskset", "-c", str(core), programs["load"], "ping", TARGET, f"count={count}",
                             f"spin={int(spin)}"))


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
