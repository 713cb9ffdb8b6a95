#!/usr/bin/env bats
# moontap replay: a policy over capture files, by an ordinary user; the same each time.

bats_require_minimum_version 1.5.0

# Where an ordinary user may read it: the executable, the scripts, and captures to replay.
setup_file() {
  export DIR="$BATS_FILE_TMPDIR"
  mkdir -p "$DIR/bin" "$DIR/share/moontap" "$DIR/out"
  cp "$MOONTAP" "$DIR/bin/moontap"
  cp -rL "$(dirname "$MOONTAP")/../share/moontap/scripts" "$DIR/share/moontap/"
  cat >"$DIR/make.lua" <<'LUA'
local mt = require "moontap"
local dir = ...
local function ping(dst, seq)
  return mt.packet { { "ip", src = "192.168.1.134", dst = dst, id = seq }, { "icmp", type = 8, ident = 7, seq = seq }, "data" }
end
local function file(name, write)
  local out <close> = assert(mt.pcap.open(dir .. "/" .. name, "w"))
  write(out)
end
file("pings.pcapng", function(out)
  for i = 1, 5 do
    out:write(ping("192.168.1." .. 99 + i, i), { interface = "tun0", dir = "in", time = 1700000000 + i / 2 })
  end
  out:write(ping("192.168.1.9", 9), { interface = "tun0", dir = "out", time = 1700000003 })
end)
-- Two ports in one file, and one each in two; in order of time together.
local function at(port, from, step)
  return function(out)
    for i = from, from + 2 * step, step do
      out:write(ping("10.0.0." .. i, i), { interface = port, time = 1700000000 + i })
    end
  end
end
file("both.pcapng", function(out)
  for i = 1, 6 do
    out:write(ping("10.0.0." .. i, i), { interface = i % 2 == 1 and "lan" or "wan", time = 1700000000 + i })
  end
  out:write(ping("10.0.0.7", 7), { interface = "dmz", time = 1700000007 })
end)
file("odd.pcapng", at("eth0", 1, 2))
file("even.pcapng", at("eth1", 2, 2))
file("ethernet.pcapng", function(out)
  local eth = { "eth", src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
  out:write(mt.packet { eth, { "ip", dst = "192.168.1.77" }, { "icmp", type = 8, ident = 1, seq = 1 } },
    { interface = "eth0", time = 1700000000 })
  out:write(mt.packet { eth, { "arp", dst_ip = "192.168.1.77" } }, { interface = "eth0", time = 1700000001 })
end)
mt.stop()
LUA
  "$MOONTAP" run -q "$DIR/make.lua" "$DIR"
  chmod -R a+rX "$BATS_RUN_TMPDIR" && chmod 0777 "$DIR/out"
}

setup() { load common; common_setup; }
teardown() { common_teardown; }

replay() {
  run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$DIR/bin/moontap" replay "$@"
}

# script NAME: standard input is a script that replay can read, at $DIR/NAME.lua.
script() {
  cat >"$DIR/$1.lua"
  chmod a+r "$DIR/$1.lua"
}

@test "each packet is decided at its own time; the counters add up" {
  replay ping "$DIR/pings.pcapng"
  [ "$status" = 0 ]
  [ "$(sed -n 1p <<<"$output")" = "0.000000000 tun0 > tun0: reply by ping.lua:8: IP 192.168.1.100 > 192.168.1.134: ICMP echo reply, id 7, seq 1, length 12" ]
  [[ "$(sed -n 5p <<<"$output")" == "2.000000000 tun0 > tun0: reply by ping.lua:8: IP 192.168.1.104 >"* ]]
  echo "$output" >"$BATS_TEST_TMPDIR/stats"
  assert_counts_add_up "$BATS_TEST_TMPDIR/stats"
  [[ $output == *"tun0  rx_packets 5 "* ]]
  [[ $output == *"left out: 1 had been sent, not received"* ]]
  replay -q ping "$DIR/pings.pcapng"
  [[ $output == "tun0  rx_packets 5 "* ]]
}

@test "the same input gives the same output, byte for byte" {
  script repeat <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })
mt.every(0.4, function() print("tick", mt.now(), math.random(1 << 40), os.time(), os.clock()) end)
local t, list = {}, {}
for i = 1, 40 do t["key" .. i] = i t[{}] = i t[function() return i end] = i end
for k, v in pairs(t) do print(type(k), v) end
for i = 1, 300 do list[i] = { i // 100, i } end
table.sort(list, function(a, b) return a[1] < b[1] end)
for i = 1, 300 do print(list[i][2]) end
print(t, os.date())
tun:on("dst 192.168.1.101", function() error {} end)
tun:on("dst 192.168.1.102", function(pkt)
  local copy = pkt:copy()
  mt.after(3, function() tun:send(copy) end)
  return "handled"
end)
tun:on(nil, mt.reflect {})
LUA
  for run in 1 2 3; do
    more=$(printf "%$((run * 997))s" x)
    MORE=$more replay -o "$DIR/out/$run.pcapng" --seed 7 "$DIR/repeat.lua" "$DIR/pings.pcapng" -- a b
    [ "$status" = 0 ]
    printf '%s\n' "$output" "$stderr" >"$BATS_TEST_TMPDIR/$run"
    sleep 1.1 # the calendar counts too
  done
  for run in 2 3; do
    cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/$run"
    cmp "$DIR/out/1.pcapng" "$DIR/out/$run.pcapng"
  done
  replay --seed 8 "$DIR/repeat.lua" "$DIR/pings.pcapng"
  [ "$output" != "$(cat "$BATS_TEST_TMPDIR/1")" ]
}

@test "-o: what came in and what was sent, each with its time, port, direction and verdict" {
  script half <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })
tun:on("dst 192.168.1.100", mt.reflect {}).label = "first"
tun:on("dst 192.168.1.101", "handled")
LUA
  replay -o "$DIR/out/half.pcapng" "$DIR/half.lua" "$DIR/pings.pcapng"
  [ "$status" = 0 ]
  script show <<'LUA'
local mt = require "moontap"
for pkt in assert(mt.pcap.open(...)):packets() do
  print(("%.1f %s %s %s: %s"):format(pkt.time - 1700000000, pkt.link, pkt.dir, pkt.ip.dst, pkt.comment))
end
mt.stop()
LUA
  run "$MOONTAP" run "$DIR/show.lua" "$DIR/out/half.pcapng"
  diff - <(echo "$output") <<'END'
0.5 tun0 in 192.168.1.100: reply by first
0.5 tun0 out 192.168.1.134: reply by first
1.0 tun0 in 192.168.1.101: handled by half.lua:4
1.5 tun0 in 192.168.1.102: drop (policy) by default
2.0 tun0 in 192.168.1.103: drop (policy) by default
2.5 tun0 in 192.168.1.104: drop (policy) by default
END
  # What it wrote is a capture like others: what came in comes in again.
  replay "$DIR/half.lua" "$DIR/out/half.pcapng"
  [[ $output == *"left out: 1 had been sent"* && $output == *"replied 1 + rewritten 0 + passed 0 + dropped 3 + handled 1"* ]]
  replay -o - -q "$DIR/half.lua" "$DIR/pings.pcapng"
  [[ $stderr == *"rx_packets 5"* && $output != *"rx_packets"* ]]
}

@test "several ports: interfaces named like them, or PORT=FILE, in order of time" {
  script router <<'LUA'
local mt = require "moontap"
local lan = assert(mt.tun { name = "lan", addr = "192.0.2.1/24" })
local wan = assert(mt.tun { name = "wan", addr = "198.51.100.1/24" })
mt.bridge(lan, wan)
LUA
  replay "$DIR/router.lua" "$DIR/both.pcapng"
  [ "$status" = 0 ]
  [[ $output == *"left out: 1 for no open port"* ]]
  grep pass <<<"$output" | grep -v passed | sed -E 's/.*000 (.*): pass .* > 10.0.0.(.): .*/\1 \2/' >"$BATS_TEST_TMPDIR/ways"
  diff - "$BATS_TEST_TMPDIR/ways" <<'END'
lan > wan 1
wan > lan 2
lan > wan 3
wan > lan 4
lan > wan 5
wan > lan 6
END
  replay "$DIR/router.lua" "wan=$DIR/even.pcapng" "lan=$DIR/odd.pcapng"
  [ "$status" = 0 ]
  grep pass <<<"$output" | grep -v passed | sed -E 's/.*000 (.*): pass .* > 10.0.0.(.): .*/\1 \2/' |
    diff "$BATS_TEST_TMPDIR/ways" -
  replay "$DIR/router.lua" "$DIR/odd.pcapng"
  [ "$status" = 1 ]
  [ "$stderr" = "moontap: $DIR/odd.pcapng: for which port of the script (lan, wan)? No interface in it has the name of one: say PORT=FILE" ]
  replay "$DIR/router.lua" "lam=$DIR/odd.pcapng"
  [ "$status" = 1 ]
  [ "$stderr" = "moontap: lam=$DIR/odd.pcapng: the script has no such port (it has lan, wan)" ]
}

@test "Ethernet is taken off for a tun, and put on for a tap" {
  replay ping "$DIR/ethernet.pcapng"
  [ "$status" = 0 ]
  [[ $output == *"IP 192.168.1.77 > "*"ICMP echo reply"* && $output == *"left out: 1 without IP, for a tun"* ]]
  replay ping_tap "$DIR/pings.pcapng"
  [ "$status" = 0 ]
  [[ $output == *"replied 5 "* ]]
}

@test "time goes on between packets, and after them while something waits" {
  script timers <<'LUA'
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0" })
local start = mt.now()
local function say(what) print(("%s %.2f"):format(what, mt.now() - start)) end
tun:on("dst 192.168.1.104", function() mt.after(5, function() say "after" end) return "drop" end)
mt.every(0.75, function() say "every" end)
mt.sleep(1.6)
say "slept"
LUA
  replay "$DIR/timers.lua" "$DIR/pings.pcapng"
  [ "$status" = 0 ]
  grep -E '^(every|after|slept)' <<<"$output" >"$BATS_TEST_TMPDIR/times"
  printf '%s\n' "every 0.75" "every 1.50" "slept 1.60" "every 2.25" "every 3.00" "every 3.75" "every 4.50" \
    "every 5.25" "every 6.00" "every 6.75" "after 7.00" | diff - "$BATS_TEST_TMPDIR/times"
  # Someone who waits for ever is waited for a minute.
  echo 'local mt = require "moontap" assert(mt.tun { name = "tun0" }) while true do mt.sleep(7) print "awake" end' | script forever
  replay "$DIR/forever.lua" "$DIR/pings.pcapng"
  [ "$status" = 0 ]
  [ "$(grep -c awake <<<"$output")" = 8 ]
}

@test "run --seed: the same numbers again; -v tells the seed of other runs" {
  echo 'print(math.random(1 << 60), math.random(1 << 60)) require "moontap".stop()' | script numbers
  first=$("$MOONTAP" run --seed 0x7 "$DIR/numbers.lua")
  [ "$("$MOONTAP" run --seed 7 "$DIR/numbers.lua")" = "$first" ]
  run --separate-stderr "$MOONTAP" run -v "$DIR/numbers.lua"
  [ "$output" != "$first" ]
  seed=$(sed -n 's/^debug: seed //p' <<<"$stderr")
  [ "$("$MOONTAP" run "--seed=$seed" "$DIR/numbers.lua")" = "$output" ]
  run "$MOONTAP" run --seed 7x "$DIR/numbers.lua"
  [ "$status" = 2 ]
}

@test "what goes wrong is said, and is its status" {
  echo 'local mt = require "moontap" local t = assert(mt.tun { name = "t" }) t:on(nil, function() mt.stop(3) end)' | script stop
  replay "$DIR/stop.lua" "$DIR/pings.pcapng"
  [ "$status" = 3 ]
  [[ $output == *"rx_packets 1 "* ]]
  echo 'local mt = require "moontap" local t = assert(mt.tun { name = "t" }) t:on(nil, function() local x = nil + 1 end)' | script bad
  replay "$DIR/bad.lua" "$DIR/pings.pcapng"
  [ "$status" = 0 ]
  [[ $output == *"t: drop (script_error) by bad.lua:1 ($DIR/bad.lua:1: attempt to perform arithmetic on a nil value): IP "* ]]
  echo 'nonsense' | script wrong
  replay "$DIR/wrong.lua" "$DIR/pings.pcapng"
  [ "$status" = 1 ]
  [[ $stderr == "moontap: $DIR/wrong.lua:"* ]]
  head -c 400 "$DIR/pings.pcapng" >"$DIR/out/cut.pcapng"
  replay ping "$DIR/out/cut.pcapng"
  [ "$status" = 1 ]
  [[ $stderr == *"cut.pcapng"* && $output == *"reply by ping.lua:8"* ]]
  replay ping "$DIR/nowhere.pcap"
  [ "$status" = 1 ]
  [[ $stderr == "moontap: $DIR/nowhere.pcap: cannot open: No such file or directory"* ]]
  for args in "" ping "--seed x ping f" "-o" "--fast ping f"; do
    # shellcheck disable=SC2086 # a list of words
    replay $args
    [ "$status" = 2 ]
  done
}
