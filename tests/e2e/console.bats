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
  run ping -q -c 20 -i 0.02 -w 10 192.168.1.9
  [[ $output == *"20 received"* ]]
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
