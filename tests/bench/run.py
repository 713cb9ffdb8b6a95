#!/usr/bin/env python3
"""Measures moontap beside what people would write or use instead; prints a table, writes JSON, SVG.

The method: every variant takes its turn, again and again (A B C A B C ...), the responder alone on
one core and the load on another. What is compared is the responder's CPU time a packet: the
smallest of all turns repeats best on a busy machine. The kernel checks every answer.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import measure as m
import plot
import traffic

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "scripts")


def moontap(script, *args, options=()):
    return [m.programs["moontap"], "run", "-q", *options, os.path.join(SCRIPTS, script + ".lua"), *args]


def loops(*args):
    return [m.programs["loops"], *args]


def variants():
    V = m.Variant
    return [
        V("bare", "tun", loops("bare", "tun"), answers=False),
        V("naive", "tun", loops("naive", "tun")),
        V("quiet", "tun", loops("quiet", "tun")),
        V("reflect", "tun", moontap("reflect", "tun"), True),
        V("reflect epoll", "tun", moontap("reflect", "tun", "epoll"), True),
        V("lua rule", "tun", moontap("lua_rule"), True),
        V("lua by hand", "tun", moontap("by_hand"), True),
        V("policy in C", "tun", loops("policy", "tun")),
        V("policy", "tun", moontap("policy"), True),
        V("1 rule", "tun", moontap("rules", "1"), True),
        V("100 rules", "tun", moontap("rules", "100"), True),
        V("bare tap", "tap", loops("bare", "tap"), answers=False),
        V("reflect tap", "tap", moontap("reflect", "tap"), True),
        V("recv-send", "veth", loops("socket", "veth1")),
        V("veth mmsg", "veth", moontap("reflect_link", "veth1", "mmsg")),
        V("veth ring", "veth", moontap("reflect_link", "veth1", "ring")),
        V("veth xdp", "veth", moontap("reflect_link", "veth1", "xdp")),
        V("kernel", "veth", None),
    ] + peers()


def peers():
    """What is installed here and does the same work."""
    found = []
    if os.path.exists("/usr/bin/scapy"):
        found.append(m.Variant("scapy", "tun", ["/usr/bin/python3", os.path.join(HERE, "peers", "scapy_tun.py")]))
    if shutil.which("luajit"):
        found.append(m.Variant("luajit", "tun", ["luajit", os.path.join(HERE, "peers", "ffi_tun.lua")]))
    if shutil.which("dpdk-testpmd"):
        found.append(m.Variant("testpmd", "veth", testpmd()))
    return found


def testpmd():
    """DPDK's echo over AF_XDP; its second thread, on the same core, only waits. No huge pages here."""
    return ["dpdk-testpmd", "--lcores", f"(0,1)@{m.CORE}", "--no-huge", "-m", "512", "--no-pci", "--no-telemetry",
            "-d", "librte_net_af_xdp.so", "--vdev=net_af_xdp0,iface=veth1", "--", "--forward-mode=icmpecho",
            "--total-num-mbufs=16384", "--nb-cores=1", "--auto-start", "--stats-period=100"]


def testpmd_lines(by_name):
    """A poll loop is never idle: of it the rate is compared, and what it keeps in memory."""
    other, ours = by_name.get("testpmd"), by_name.get("veth xdp")
    if not other or not other.turns or not ours or not ours.turns:
        return []
    best, median = (ours.kpps(of) / other.kpps(of) for of in (max, statistics.median))
    return [f"veth xdp / testpmd: {ours.kpps():.0f} / {other.kpps():.0f} kpps = {best:.2f}, by the medians "
            f"{median:.2f} (wanted 1.0), {ours.resident_kib} / {other.resident_kib} KiB = "
            f"{ours.resident_kib / other.resident_kib:.3f} (wanted 0.1)"]


# name, over, what it is compared with, at least
TARGETS = [
    ("C reflector on tun / bare", "bare", "reflect", 1.35),
    ("C reflector on tun / naive loop", "naive", "reflect", 1.45),
    ("C reflector on tap / bare", "bare tap", "reflect tap", 1.45),
    ("C reflector on veth (xdp) / recv-send", "recv-send", "veth xdp", 1.8),
    ("C reflector on veth (ring) / recv-send", "recv-send", "veth ring", 1.5),
    ("C reflector on veth (xdp) / kernel's own", "kernel", "veth xdp", 1.4),
    ("Lua rule / C reflector", "reflect", "lua rule", 0.88),
    ("responder in Lua / C reflector", "reflect", "lua by hand", 0.82),
    ("policy in three lines / in a C loop", "policy in C", "policy", 1.25),
    ("100 rules / 1 rule", "1 rule", "100 rules", 0.95),
    ("epoll fallback / bare", "bare", "reflect epoll", 0.95),
]


def take_turns(all_variants, rounds, ms):
    for number in range(rounds):
        for variant in all_variants:
            if variant.refused:
                continue
            print(f"\rround {number + 1} of {rounds}: {variant.name:<20}", end="", file=sys.stderr, flush=True)
            try:
                m.turn(variant, ms)
            except RuntimeError as why:
                if not variant.turns:
                    variant.refused = str(why)
                print(f"\r{variant.name}: {why}", file=sys.stderr)
    print("\r" + " " * 50 + "\r", end="", file=sys.stderr)


def take_calls(all_variants, ms):
    for variant in all_variants:
        if variant.argv is None or variant.refused or not variant.turns:
            continue
        try:
            with m.Responder(variant) as responder:
                variant.calls = m.calls_per_packet(responder, ms)
        except RuntimeError as why:
            print(f"{variant.name}: {why}", file=sys.stderr)


def take_latency(rounds, count):
    """The best percentiles of some rounds: on one core, and spinning on two."""
    V = m.Variant
    cases = [
        ("blocking loop, one core", V("quiet", "tun", loops("quiet", "tun")), False),
        ("moontap, one core", V("reflect", "tun", moontap("reflect", "tun"), True), False),
        ("spinning loop", V("spin", "tun", loops("spin", "tun")), True),
        ("moontap --busy-poll", V("busy", "tun", moontap("reflect", "tun", options=("--busy-poll",)), True), True),
    ]
    best = {}
    for _ in range(rounds):
        for name, variant, spin in cases:
            try:
                got = m.latency(variant, count, spin)
            except RuntimeError as why:
                best[name] = {"refused": str(why)}
                continue
            if "p50_us" not in got:
                continue
            all_p50 = best.get(name, {}).get("all_p50_us", []) + [got["p50_us"]]
            if got["p50_us"] == min(all_p50):
                best[name] = got
            best[name]["all_p50_us"] = all_p50
    return best


def take_start():
    """Milliseconds from the start of the process to the first reply, and resident KiB after load."""
    variant = m.Variant("reflect", "tun", moontap("reflect", "tun"), True)
    took = []
    for _ in range(5):
        start = time.monotonic()
        process = subprocess.Popen(variant.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        m.until("a reply", lambda: m.net_dev("tun0") is not None and traffic.echo_answered(m.TARGET))
        took.append((time.monotonic() - start) * 1000)
        process.terminate()
        process.wait()
    return min(took)


def take_memory(packets):
    """Resident KiB of a worker's process after some load, and after `packets` of it."""
    variant = m.Variant("reflect", "tun", moontap("reflect", "tun"), True)
    with m.Responder(variant) as responder:
        early, done, first = None, 0, m.net_dev("tun0")[0]
        while done < packets:
            m.flood(variant, 1000)
            done = m.settled("tun0")[0] - first
            early = early or m.resident_kib(responder.pid)
        return {"first_kib": early, "last_kib": m.resident_kib(responder.pid), "packets": done}


def take_calls_in_process():
    """What fields, matches and calls cost without any device: the lines of two programs."""
    lines = []
    for words in (["calls", os.path.join(SCRIPTS, "calls.lua")], ["match_bench"]):
        done = subprocess.run([m.programs[words[0]]] + words[1:], capture_output=True, text=True)
        lines += done.stdout.splitlines() + ([f"{words[0]}: FAILED {done.stderr.strip()}"] if done.returncode else [])
    return lines


def ratio(by_name, over, name):
    base, ours = by_name.get(over), by_name.get(name)
    if not base or not ours or not base.turns or not ours.turns:
        return None
    return base.best() / ours.best(), base.median() / ours.median()


def table_print(all_variants, results):
    print(f"{'responder':<18}{'on':<6}{'best ns':>8}{'median':>8}{'kpps':>7}{'calls':>8}")
    for v in all_variants:
        if not v.turns:
            print(f"{v.name:<18}{v.kind:<6}  {(v.refused or 'not run')[:50]}")
            continue
        calls = "-" if v.calls is None else f"{v.calls:.3f}"
        print(f"{v.name:<18}{v.kind:<6}{v.best():>8.0f}{v.median():>8.0f}{v.kpps():>7.0f}{calls:>8}")
    print(f"\n{'ratio of CPU time a packet':<44}{'best':>7}{'median':>8}{'wanted':>8}")
    for row in results["ratios"]:
        got = "".join(f"{row[k]:>{w}.2f}" if row[k] else f"{'-':>{w}}" for k, w in (("best", 7), ("median", 8)))
        print(f"{row['what']:<44}{got}{row['wanted']:>8.2f}{'' if row['reached'] else '  short'}")
    print()
    for name, got in results["latency"].items():
        words = got.get("refused") or ", ".join(f"{k[:-3].replace('p999', 'p99.9')} {got[k]:.1f} us"
                                                for k in ("p50_us", "p99_us", "p999_us") if k in got)
        if "all_p50_us" in got:
            words += f"; median of the rounds' p50 {statistics.median(got['all_p50_us']):.1f} us"
        print(f"latency, {name + ':':<26}{words}")
    for line in results["lines"]:
        print(line)
    print("\nwithout a device:")
    for line in results["in_process"]:
        print("  " + line)


def results_make(all_variants, args):
    by_name = {v.name: v for v in all_variants}
    rows = []
    in_process = take_calls_in_process()
    for what, over, name, wanted in TARGETS:
        got = ratio(by_name, over, name)
        rows.append({"what": what, "best": got and got[0], "median": got and got[1], "wanted": wanted,
                     "reached": bool(got) and got[0] >= wanted and got[1] >= wanted * 0.9})
    results = {"ratios": rows, "latency": take_latency(args.rounds // 2 + 1, 1000), "lines": [],
               "in_process": in_process}
    results["start_ms"] = take_start()
    results["lines"].append(f"start to first reply: {results['start_ms']:.0f} ms (wanted 30)")
    results["memory"] = take_memory(args.packets)
    results["lines"].append("resident after {packets} packets: {last_kib} KiB (first {first_kib}, wanted 16384)"
                            .format(**results["memory"]))
    results["iperf"] = traffic.bridge_compare(moontap, args.seconds)
    results["lines"] += traffic.bridge_lines(results["iperf"])
    results["forward"] = traffic.forward_compare(moontap, args.seconds)
    results["lines"] += traffic.forward_lines(results["forward"]) + testpmd_lines(by_name)
    results["variants"] = [{"name": v.name, "kind": v.kind, "refused": v.refused, "calls": v.calls,
                            "turns": [vars(t) for t in v.turns]} for v in all_variants]
    return results


def options_take():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="the folder with bin/moontap, load and loops")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--ms", type=int, default=300, help="of load a turn")
    parser.add_argument("--packets", type=int, default=10000000, help="for the memory's flatness")
    parser.add_argument("--seconds", type=int, default=2, help="of each TCP transfer")
    parser.add_argument("--only", help="names of variants, with commas between them; nothing else is measured")
    parser.add_argument("--out", default=".", help="where bench.json and bench.svg go")
    args = parser.parse_args()
    for name, path in (("moontap", "bin/moontap"), *((n, "tests/bench/" + n) for n in ("load", "loops", "calls", "match_bench"))):
        m.programs[name] = os.path.join(os.path.abspath(args.build), path)
    return args


def main():
    args = options_take()
    chosen = variants()
    if args.only:
        names = args.only.split(",")
        chosen = [v for v in chosen if v.name in names]
    m.lab_add()
    try:
        take_turns(chosen, args.rounds, args.ms)
        if args.only:
            for v in chosen:
                print(f"{v.name:<18}" + (f"{v.best():>8.0f}{v.median():>8.0f}{v.kpps():>7.0f}" if v.turns else v.refused))
            return
        take_calls(chosen, args.ms)
    finally:
        m.lab_del()
    results = results_make(chosen, args)
    table_print(chosen, results)
    with open(os.path.join(args.out, "bench.json"), "w") as file:
        json.dump(results, file, indent=1)
    plot.write(os.path.join(args.out, "bench.svg"), chosen)


if __name__ == "__main__":
    main()
