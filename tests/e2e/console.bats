#!/usr/bin/env bats
# The console: lines in, values and errors out, in the script's own state, packets flowing meanwhile.

bats_require_minimum_version 1.5.0
setup() { load common; common_setup; }
teardown() { common_teardown; }

@test "repl: values, prints, globals, errors, lines that go on" {
  run --separate-stderr "$MOONTAP" repl <<'LUA'
1 + 1
x = 5
print("hello", x)
for i = 1, 2 do
  print(i) end
error "boom"
x, nil, "s"
LUA
  [ "$status" = 1 ]
  [ "$output" = $'2\nhello\t5\n1\n2\n5\tnil\ts' ]
  [ "$stderr" = "console:1: boom" ]
}

@test "repl SCRIPT: its ports are served and counted while lines run" {
  run "$MOONTAP" repl -q ping <<'LUA'
status = mt.spawn{ "ping", "-q", "-c", "5", "-i", "0.1", "-w", "10", "192.168.1.7" }:wait()
status
LUA
  [ "$status" = 0 ]
  [[ $output == *"5 received"* ]]
  [[ $output == *$'\n0' ]]
}

@test "repl ends with 0 at the end of its input, and leaves nothing" {
  run "$MOONTAP" repl -q ping </dev/null
  [ "$status" = 0 ]
  [ -z "$output" ]
}

# What is typed at a terminal: lines of KEYS => TEXT.
typed() { run timeout -s KILL 60 python3 "$TESTS/e2e/terminal.py" "$MOONTAP" repl -q "$@"; }

@test "repl: TAB completes globals, locals, members, methods, layers and fields" {
  typed ping <<'KEYS'
tu\t.na\t\n => tun0
tun:pa\t(nil)\n => tun tun0
#tun.rul\t\n => 1
tun.rules[1].la\t\n => ping.lua:
tun:\t\t => pass_to
\x15mt.rou\t.li\t\n => function:
t = { inner_part = { ["the name"] = "found" } }\n => >
t.inn\t["the name"]:upp\t()\n => FOUND
\x15mt.diag\t\n => function:
\x15string.rev\t"abc"\n => cba
type(io.stdout.setv\t)\n => function
f = func\t(pkt) return pkt.ip.tt\t, pkt:lay\t()[1], pkt.inner.udp.srcp\t end\n => >
f(mt.packet{ {"ip", ttl = 7}, {"udp"}, {"vxlan"}, {"eth"}, {"ip"}, {"udp", srcport = 99} })\n => 7	ip	99
tun:on({ ["icmp.ty\t"] = 8, ["inner.ip.tt\t"] = 1, ["no\t"] = { ["tcp.dstp\t"] = 1 } }, "rep\t").match\n => { ["icmp.type"] = 8, ["inner.ip.ttl"] = 1, ["not"] = { ["tcp.dstport"] = 1 } }
pkt.\t\t => icmpv6
KEYS
  echo "$output"
  [ "$status" = 0 ]
}

@test "repl: TAB says nothing where nothing is known" {
  typed <<'KEYS'
tostring(5).by\t => .by
\x15-- mt.rou\t\n => >
\x15#"mt.rou\t"\n => 6
#[[mt.rou\t]]\n => 6
1.\t + 2\n => 3.0
nothing.at.all\t\n => attempt to index a nil value
KEYS
  echo "$output"
  [ "$status" = 0 ]
}

@test "repl: TAB runs nothing of the script's" {
  cat >"$BATS_TEST_TMPDIR/trap.lua" <<'LUA'
called = 0
local function trap() called = called + 1 end
trapped = setmetatable({ member = 1 }, { __index = trap, __pairs = trap, __len = trap, __tostring = trap })
setmetatable(_G, { __index = trap, __pairs = trap })
LUA
  typed "$BATS_TEST_TMPDIR/trap.lua" <<'KEYS'
trapped.\t => member
.m\t.x\t => .x
\x15trapped.nothing.m\t => .m
\x15unknown.\t => unknown.
\x15unknown_nam\t => unknown_nam
\x15"calls " .. called\n => calls 0
KEYS
  echo "$output"
  [ "$status" = 0 ]
}

@test "repl: TAB does not wait for a busy script, nor take its late answer for another" {
  cat >"$BATS_TEST_TMPDIR/busy.lua" <<'LUA'
function work()
  local give_up = os.time() + 4
  print "busy"
  while os.time() < give_up do end
  print "work is over"
end
LUA
  typed "$BATS_TEST_TMPDIR/busy.lua" <<'KEYS'
mt.after(0, work)\n => busy
tost\tZ => tostZ
 => work is over
\x15math.type(tonu\t("70"))\n => integer
KEYS
  echo "$output"
  [ "$status" = 0 ]
}

@test "console: a script's locals can be read and set, as its functions see them" {
  cat >"$BATS_TEST_TMPDIR/locals.lua" <<'LUA'
local mt <const> = require "moontap"
local near <const> = mt.pair "ip"
local seen, plain, hidden = 0, "p", 1
do local hidden = 2 function other() return hidden end end
local function bump() seen = seen + 1 end
near:on(nil, bump)
function see() return seen end
function call() bump() end
LUA
  run "$MOONTAP" repl -q "$BATS_TEST_TMPDIR/locals.lua" <<'LUA'
near.name
seen, plain, hidden, other()
call() call()
seen
seen = 10
call()
see(), seen, rawget(_G, "seen")
plain = "q"
plain, rawget(_G, "plain")
global = 5
rawget(_G, "global"), near.rules[1].hits
LUA
  [ "$output" = $'left\n0\tp\t1\t2\n2\n11\t11\tnil\nq\tnil\n5\t0' ]
}

@test "console: the locals of a script that waits are those of now" {
  cat >"$BATS_TEST_TMPDIR/waits.lua" <<'LUA'
local mt <const> = require "moontap"
local n = 0
local wanted
while n ~= wanted do
  n = n + 1
  mt.sleep(0.001)
end
mt.run()
LUA
  run timeout -s KILL 30 "$MOONTAP" repl -q "$BATS_TEST_TMPDIR/waits.lua" <<'LUA'
m = n
repeat mt.sleep(0.01) until n > m
wanted, n = 5, 1
repeat mt.sleep(0.01) until n == wanted
n
LUA
  [ "$output" = 5 ]
  [ "$status" = 0 ]
}

# What the console says to a line; one that is not answered fails.
ask() { timeout -s KILL 10 "$MOONTAP" console "$moontap_pid" <<<"$1"; }

# n is the same twice, a while apart.
stands_still() {
  local before
  before=$(ask n) && sleep 0.2 && [ "$(ask n)" = "$before" ]
}

@test "console: a long line does not stop packets, and can be given up" {
  start_moontap
  # an endless line, given up when its console goes
  mkfifo "$BATS_TEST_TMPDIR/lines"
  "$MOONTAP" console "$moontap_pid" <"$BATS_TEST_TMPDIR/lines" 3>&- &
  console=$!
  exec 4>"$BATS_TEST_TMPDIR/lines"
  echo "n = 0 while true do n = n + 1 end" >&4
  wait_for eval '[ "$(ask "n and n > 1000")" = true ]'
  pings_are_answered 20 -i 0.02 192.168.1.9
  kill "$console"
  wait "$console" || true
  exec 4>&-
  wait_for stands_still
  stop_moontap
}

@test "console: what a line prints comes to the console, not to the host" {
  start_moontap
  run "$MOONTAP" console <<<'print "here"'
  [ "$output" = here ]
  [ ! -s "$BATS_TEST_TMPDIR/out" ]
  stop_moontap
}

@test "console: says what it cannot connect to" {
  run "$MOONTAP" console
  [ "$status" = 1 ]
  [ "$output" = "moontap: console: no moontap of yours is running here (start one: moontap run; in a sandbox: moontap console PID)" ]
  run "$MOONTAP" console 1 2
  [ "$status" = 2 ]
}

@test "console PID reaches into a sandbox" {
  "$MOONTAP" run -q --sandbox -- sleep 100 3>&- &
  moontap_pid=$!
  wait_for ask 1
  run "$MOONTAP" console "$moontap_pid" <<<'#mt.link.list()'
  [ "$output" = 2 ]
  kill -TERM "$moontap_pid"
  wait "$moontap_pid" || true
  moontap_pid=
}
