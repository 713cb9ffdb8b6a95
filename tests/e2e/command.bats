#!/usr/bin/env bats
# What moontap run starts, how it ends, and the status that it ends with.

bats_require_minimum_version 1.5.0

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
}
teardown() { common_teardown; }

write() { printf 'local mt = require "moontap"\n%s\n' "$1" >"$script"; }

# An own clock, so that what hangs is a failure. 137: it had to be killed.
moontap() { run timeout -s KILL 20 "$MOONTAP" "$@"; }

no_device() { [ "$(ip -o link show | wc -l)" = 1 ]; }

@test "the command's exit status is ours" {
  for code in 0 1 2 7 255; do
    moontap run -q ping -- sh -c "exit $code"
    [ "$status" = $code ]
  done
  moontap run -q ping -- sh -c 'kill -TERM $$'
  [ "$status" = 143 ]
  no_device
}

@test "a command that cannot be started is 127 or 126, as in sh" {
  run -127 timeout -s KILL 20 "$MOONTAP" run -q ping -- no-such-command
  [ "$output" = "moontap: no-such-command: command not found" ]
  moontap run -q ping -- /etc/passwd
  [ "$status" = 126 ]
  [ "$output" = "moontap: /etc/passwd: Permission denied" ]
  no_device
}

@test "the command finds the device set up, and its ping answered" {
  moontap run -q ping -- ping -c 3 -i 0.01 -w 10 192.168.1.100
  [ "$status" = 0 ]
  moontap run -q -- ping -c 1 -w 10 2001:db8:1::77
  [ "$status" = 0 ]
}

@test "-- without a command is wrong usage" {
  for args in "run --" "run ping --"; do
    # shellcheck disable=SC2086 # words
    moontap $args
    [ "$status" = 2 ]
    [ "$output" = "moontap: run: no command after -- (moontap run SCRIPT -- COMMAND)" ]
  done
}

@test "arguments reach the script as ... and arg, to the first --" {
  write 'if mt.worker.id > 1 then return end
print(select("#", ...), ...)
print(#arg, arg[0], arg[1], arg[2], arg[3])'
  moontap run "$script" "a b" --sandbox -x -- echo -- end
  [ "$status" = 0 ]
  [ "$output" = "3	a b	--sandbox	-x
3	$script	a b	--sandbox	-x
-- end" ]
}

@test "a script comes from standard input" {
  run timeout -s KILL 20 "$MOONTAP" run - a b <<<'print("in", arg[0], ...)'
  [ "$status" = 0 ]
  [ "$output" = "in	-	a	b" ]
}

@test "mt.stop and os.exit end with their code, from wherever they are called" {
  for code in 'mt.stop(5)' 'os.exit(5)' 'mt.sleep(0.01) os.exit(5)' 'pcall(os.exit, 5) print "on"' \
    'mt.after(0.01, function() mt.stop(5) end)' 'mt.after(0.01, function() os.exit(5) end)' \
    'mt.go(function() mt.sleep(0.01) os.exit(5) end)' 'coroutine.wrap(os.exit)(5)' \
    'tun:on(nil, function() os.exit(5) end)' 'tun:on(nil, function() mt.stop(5) end)' \
    'tun:on(function() os.exit(5) end, "drop")'; do
    write "local tun = assert(mt.tun { name = 'tun0', addr = 'fd00::1/64' })
$code"
    moontap run "$script"
    echo "$code: $status $output"
    [ "$status" = 5 ]
    [ "$output" = "" ]
  done
  write 'os.exit(true)'
  moontap run "$script"
  [ "$status" = 0 ]
  write 'os.exit(false)'
  moontap run "$script"
  [ "$status" = 1 ]
  no_device
}

@test "a code that no exit status can hold is refused" {
  for call in 'mt.stop(256)' 'os.exit(256)'; do
    write "$call"
    moontap run "$script"
    [ "$status" = 1 ]
    [ "$output" = "moontap: $script:2: an exit status is 0 to 255, not 256" ]
  done
}

@test "SIGINT and SIGTERM end with 0 and leave no device" {
  for signal in INT TERM; do
    start_moontap ping
    kill -$signal "$moontap_pid"
    wait "$moontap_pid"
    moontap_pid=
    no_device
  done
}

@test "one wish to end, sent to the process and its group, still prints the counters" {
  device=tun0
  timeout -s KILL 60 "$MOONTAP" run --stats ping >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  both=$!
  wait_for link_state tun0 UNKNOWN
  kill -TERM "$both" # timeout passes it to moontap, and to its group
  wait "$both" || true
  grep -q rx_packets "$BATS_TEST_TMPDIR/err"
  no_device
}

@test "a signal sent to moontap ends its command" {
  for signal in INT TERM; do
    # A fresh shell: one that bats starts in the background ignores SIGINT.
    start_moontap ping -- bash -c 'trap "exit 9" INT TERM; echo ready; for i in {1..100}; do sleep 0.1; done'
    said ready
    kill -$signal "$moontap_pid"
    status=0
    wait "$moontap_pid" || status=$?
    moontap_pid=
    [ "$status" = 9 ]
  done
}

@test "a second SIGINT ends at once, and the device goes too" {
  write 'local tun = assert(mt.tun { name = "tun0" })
while true do end'
  start_moontap "$script"
  kill -INT "$moontap_pid"
  sleep 0.5 # nearer together they are one wish
  kill -INT "$moontap_pid"
  status=0
  wait "$moontap_pid" || status=$?
  moontap_pid=
  [ "$status" = 130 ]
  wait_for no_device # at once is the process; its ring the kernel takes down behind it
}

# ends_on_interrupt LUA: within a few seconds, with 0, without a device.
ends_on_interrupt() {
  write "local tun = assert(mt.tun { name = 'tun0', addr = 'fd00::1/64' })
$1"
  out=/dev/null
  start_moontap "$script"
  sleep 0.3
  kill -INT "$moontap_pid"
  for _ in $(seq 100); do
    kill -0 "$moontap_pid" 2>/dev/null || break
    sleep 0.1
  done
  run kill -0 "$moontap_pid"
  [ "$status" != 0 ]
  wait "$moontap_pid"
  moontap_pid=
  no_device
}

@test "an endless loop ends on SIGINT" { ends_on_interrupt 'while true do end'; }

@test "an endless loop of pcalls ends on SIGINT" {
  ends_on_interrupt 'while true do pcall(function() while true do end end) end'
}

@test "an endless loop in a coroutine of the script's own ends on SIGINT" {
  ends_on_interrupt 'coroutine.wrap(function() while true do end end)()'
  [ "$(cat "$BATS_TEST_TMPDIR/err")" = "moontap: the script does not stop: ended without it" ]
}

@test "an endless loop in mt.go, a timer or a rule ends on SIGINT and is no error" {
  for code in 'mt.go(function() while true do end end)' 'mt.after(0, function() while true do end end)' \
    'tun:on(nil, function() while true do end end)'; do
    ends_on_interrupt "$code"
    [ "$(cat "$BATS_TEST_TMPDIR/err")" = "" ]
  done
}

@test "an endless pattern match ends on SIGINT" {
  ends_on_interrupt 'local s = ("a"):rep(60); s:find(("a-"):rep(25) .. "b")'
}

@test "an endless loop of prints ends on SIGINT" { ends_on_interrupt 'while true do print "x" end'; }

@test "a reader of stdin ends on SIGINT" {
  mkfifo "$BATS_TEST_TMPDIR/in"
  exec 9<>"$BATS_TEST_TMPDIR/in" # open for writing: no end of file comes
  ends_on_interrupt 'io.read()' <&9
  exec 9>&-
}

@test "moontap run | head ends when head has seen enough" {
  for code in 'mt.every(0.001, function() print "x" end)' 'while true do print "x" end'; do
    write "local tun = assert(mt.tun { name = 'tun0' })
$code"
    run bash -c 'timeout -s KILL 20 "$MOONTAP" run "$1" | head -n 1; echo "${PIPESTATUS[0]}"' - "$script"
    [ "$output" = "x
0" ]
  done
  no_device
}

@test "with nothing to wait for it ends with 0" {
  write 'if mt.worker.id == 1 then print "done" end'
  moontap run "$script"
  [ "$status" = 0 ]
  [ "$output" = "done" ]
}

@test "a port that the script closes is nothing to wait for" {
  only_one_worker "the others would open what worker 1 has closed"
  write 'local tun <close> = assert(mt.tun { name = "tun0" })'
  moontap run "$script"
  [ "$status" = 0 ]
  [ "$output" = "" ]
  no_device
}

@test "every help fits 80 columns" {
  commands=$("$MOONTAP" help | sed -n 's/^  moontap \([a-z]*\) .*/\1/p')
  [[ $commands == *run*repl*replay* ]]
  for command in "" $commands; do
    # shellcheck disable=SC2086 # a word, or none
    moontap help $command
    [ "$status" = 0 ]
    awk 'length > 80 { print; bad = 1 } END { exit bad || !NR }' <<<"$output"
  done
}

@test "closed standard descriptors do no harm" {
  write 'print "x"'
  run timeout -s KILL 20 "$MOONTAP" run "$script" <&- >&- 2>&-
  [ "$status" = 0 ]
}

@test "ten runs one right after the other: the name is free again" {
  for _ in $(seq 10); do
    moontap run -q ping -- ping -c 1 -w 10 192.168.1.100
    [ "$status" = 0 ]
  done
}
