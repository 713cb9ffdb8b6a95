#!/usr/bin/env bats
# --capture: every packet that was read or sent is in the file, as it was, with what was decided.

bats_require_minimum_version 1.5.0

setup() {
  load common
  common_setup
  cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() { common_teardown; }

# Lines "LINK DIR PACKET [TTL] (COMMENT)" of what a file holds of ICMP.
show() {
  cat >show.lua <<'END'
local mt <const> = require "moontap"
for pkt in assert(mt.pcap.open(...)):packets "icmp" do
  print(("%s %s %s ttl %d (%s)"):format(pkt.link, pkt.dir, pkt, pkt.ip.ttl, pkt.comment))
end
END
  "$MOONTAP" run --workers 1 show.lua "$1"
}

@test "requests and replies are in the file, with link, direction, rule and verdict" {
  "$MOONTAP" run --capture out.pcapng ping -- ping -q -c 3 -i 0.01 192.168.1.100
  show out.pcapng >shown
  cat shown
  [ "$(wc -l <shown)" = 6 ]
  [ "$(grep -c '^tun0 in IP 192.168.1.134 > 192.168.1.100: ICMP echo request, .* (reply by rule ping.lua:[0-9]*)$' shown)" = 3 ]
  [ "$(grep -c '^tun0 out IP 192.168.1.100 > 192.168.1.134: ICMP echo reply, .* (reply by rule ping.lua:[0-9]*)$' shown)" = 3 ]
  [ "$(tcpdump -nr out.pcapng icmp 2>/dev/null | grep -c 'ICMP echo re')" = 6 ]
  [ "$(tcpdump -nr out.pcapng icmp 2>/dev/null | sort -c 2>&1)" = "" ]
}

@test "a packet is written as it was read, and as it was sent" {
  cat >edit.lua <<'END'
local mt <const> = require "moontap"
local tun <const> = assert(mt.tun { name = "tun0", addr = "10.0.0.1/24" })
local extra <const> = mt.packet { { "ip", src = "10.0.0.9", dst = "10.0.0.1" }, { "icmp", type = 0, ident = 1, seq = 1 } }
tun:on("icmp[icmptype] = icmp-echo", mt.set { ["ip.ttl"] = 9 }, function() tun:send(extra) end, "reply").label = "twice"
tun.default = "drop"
if mt.worker.id == 1 then mt.on_end(function() tun:send(extra) end) end
END
  "$MOONTAP" run --capture out.pcapng edit.lua -- ping -q -c 1 10.0.0.2
  show out.pcapng >shown
  cat shown
  [ "$(sed 's/id [0-9]*, seq 1, length/length/' shown)" = "tun0 in IP 10.0.0.1 > 10.0.0.2: ICMP echo request, length 64 ttl 64 (reply by rule twice)
tun0 out IP 10.0.0.9 > 10.0.0.1: ICMP echo reply, length 8 ttl 64 (sent by the script)
tun0 out IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, length 64 ttl 9 (reply by rule twice)
tun0 out IP 10.0.0.9 > 10.0.0.1: ICMP echo reply, length 8 ttl 64 (sent by the script)" ]
}

@test "what was dropped says so, and ports of both kinds are told apart" {
  cat >two.lua <<'END'
local mt <const> = require "moontap"
assert(mt.tun { name = "tun0", addr = "10.0.0.1/24" })
local tap <const> = assert(mt.tap { name = "tap0", addr = "10.1.0.1/24" })
tap:on(nil, mt.reflect {})
mt.spawn({ "ping", "-q", "-c1", "-W1", "-w1", "10.0.0.2", on_line = print }):wait()
mt.spawn({ "ping", "-q", "-c1", "10.1.0.2", on_line = print }):wait()
mt.stop()
END
  "$MOONTAP" run --stats --capture out.pcapng two.lua 2>stats
  cat stats
  show out.pcapng >shown
  cat shown
  grep -q '^tun0 in IP 10.0.0.1 > 10.0.0.2: .* (drop by default)$' shown
  grep -q '^tap0 in IP 10.1.0.1 > 10.1.0.2: .* (reply by rule two.lua:4)$' shown
  grep -q '^tap0 out IP 10.1.0.2 > 10.1.0.1: .* (reply by rule two.lua:4)$' shown
  # All that was read and sent is there.
  total=$(awk '/ rx_packets/ { n += $3 } /^ *tx_packets/ { n += $2 } END { print n }' stats)
  grep -qx "capture: $total packets in out.pcapng, missing: ring full 0, not written 0" stats
}

@test "standard output takes packets, and then prints go to standard error" {
  cat >talk.lua <<'END'
local mt <const> = require "moontap"
assert(mt.tun { name = "tun0", addr = "10.0.0.1/24" }):on("icmp", "reply")
print "a word"
END
  "$MOONTAP" run --capture - talk.lua -- ping -q -c 2 -i 0.01 10.0.0.2 2>words | tcpdump -nr - icmp 2>/dev/null >shown
  [ "$(grep -c 'ICMP echo' shown)" = 4 ]
  grep -qx "a word" words
}

@test "a sandbox writes where its caller is" {
  "$MOONTAP" run --sandbox --capture out.pcapng ping -- ping -q -c 1 192.168.1.100
  [ "$(show out.pcapng | grep -c 'echo re')" = 2 ]
}

@test "a file that cannot be written is refused, a disk that fills up is told" {
  run --separate-stderr "$MOONTAP" run --capture /nowhere/out.pcapng ping -- true
  [ "$status" = 1 ]
  [ "$stderr" = "moontap: /nowhere/out.pcapng: cannot write: No such file or directory (give a file that may be made or written)" ]
  run --separate-stderr "$MOONTAP" run --capture
  [ "$status" = 2 ]
  run --separate-stderr "$MOONTAP" run --stats --capture /dev/full ping -- ping -q -c 3 -i 0.01 192.168.1.100
  [ "$status" = 0 ]
  [ "$(grep -c "^moontap: capture: /dev/full: cannot write: No space left on device" <<<"$stderr")" = 1 ]
  grep -q "^capture: 0 packets in /dev/full, missing: ring full 0, not written [1-9]" <<<"$stderr"
  grep -q "^moontap: capture: [0-9]* packets are missing in /dev/full" <<<"$stderr"
}

@test "what several workers carry is in one file" {
  cat >two.lua <<'END'
local mt <const> = require "moontap"
assert(mt.tun { name = "tun0", addr = "10.0.0.1/24" }):on("icmp", "reply")
END
  "$MOONTAP" run --workers 2 --stats --capture out.pcapng two.lua -- ping -q -c 50 -i 0.002 10.0.0.2 2>stats
  cat stats
  show out.pcapng >shown
  [ "$(grep -c '^tun0 in .* echo request' shown)" = 50 ]
  [ "$(grep -c '^tun0 out .* echo reply' shown)" = 50 ]
}

@test "what the rules of several workers write is in one file, whole" {
  # Both write at once, more than the buffer holds, and name new interfaces all the while.
  cat >write.lua <<'END'
local mt <const> = require "moontap"
local tap <const> = assert(mt.tap { name = "tap0", addr = "10.0.0.1/24" })
local out <const> = assert(mt.pcap.open("out.pcapng", "w"))
tap:on("arp", mt.reflect {})
tap:on("icmp", function(pkt)
  for _ = 1, 20 do out:write(pkt, { interface = "to " .. pkt.ip.dst, comment = "worker " .. mt.worker.id }) end
  return "reply"
end)
END
  # shellcheck disable=SC2016 # the inner shell's
  "$MOONTAP" run --workers 2 write.lua -- sh -c 'for i in $(seq 2 41); do ping -q -s 1000 -c 5 -i 0.01 -W 1 10.0.0.$i & done; wait' >/dev/null
  cat >count.lua <<'END'
local mt <const> = require "moontap"
local of, count <const> = {}, {}
for pkt in mt.pcap.open("out.pcapng"):packets() do
  assert(pkt.link == "to " .. pkt.ip.dst and #pkt == 1042 and pkt.icmp.type == 8, pkt)
  count[pkt.comment] = (count[pkt.comment] or 0) + 1
  of[pkt.link] = (of[pkt.link] or 0) + 1
end
for i = 2, 41 do assert(of["to 10.0.0." .. i] == 100, of["to 10.0.0." .. i]) end
print(count["worker 1"] > 0, count["worker 2"] > 0, count["worker 1"] + count["worker 2"])
END
  run "$MOONTAP" run --workers 1 count.lua
  echo "$output"
  [ "$output" = "true	true	4000" ]
  [ "$(tcpdump -nr out.pcapng 2>/dev/null | grep -c 'ICMP echo request, .* length 1008$')" = 4000 ]
}

@test "a flood is captured whole, or what is missing is counted" {
  "$MOONTAP" run --stats --capture out.pcapng ping -- ping -q -f -c 5000 192.168.1.100 2>stats
  cat stats
  written=$(sed -n 's/^capture: \([0-9]*\) packets.*/\1/p' stats)
  lost=$(sed -n 's/.*missing: ring full \([0-9]*\), not written 0$/\1/p' stats)
  total=$(awk '/ rx_packets/ { n += $3 } /^ *tx_packets/ { n += $2 } END { print n }' stats)
  [ "$total" -ge 10000 ]
  [ $((written + lost)) = "$total" ]
  [ "$(tcpdump -nr out.pcapng 2>/dev/null | wc -l)" = "$written" ]
}
