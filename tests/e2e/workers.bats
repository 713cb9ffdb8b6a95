#!/usr/bin/env bats
# Several workers: each has the script and a queue of every port; what changes the world is done once.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  err=$BATS_TEST_TMPDIR/err
}
teardown() { common_teardown; }

# device_script CODE: a reflecting tun, then CODE.
device_script() {
  cat >"$script" <<LUA
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = { "192.168.1.134/24", "2001:db8:1::134/64" } })
tun:on("", mt.reflect {})
$1
LUA
}

# many_flows: 64 pings at once, of 10 each, all answered. The kernel counts: with so many at once ping
# itself misses some of the replies that the kernel had for it.
many_flows() {
  local i pids=() before
  before=$(echo_replies)
  for i in $(seq 64); do
    ping -q -n -c 10 -i 0.01 -W 1 "192.168.1.$i" >"$BATS_TEST_TMPDIR/ping$i" 3>&- &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || true; done
  [ $(($(echo_replies) - before)) = 640 ]
}

# Both had packets, and none but those two.
both_worked() {
  grep -E '^ +by worker: rx_packets [1-9][0-9]*, [1-9][0-9]*$' "$err"
}

@test "two workers answer the flows of a tun between them, and count together" {
  device_script ''
  start_moontap --stats --workers 2 "$script"
  many_flows
  pings_are_answered 10 -i 0.01 2001:db8:1::77
  stop_moontap
  cat "$err"
  assert_counts_add_up "$err"
  both_worked
  grep -Eq '= replied 650 \+' "$err"
}

@test "a flow stays on one worker" {
  device_script ''
  start_moontap --stats --workers 2 "$script"
  sysctl -q -w net.ipv6.conf.tun0.disable_ipv6=1
  pings_are_answered 200 -i 0.002 192.168.1.100
  stop_moontap
  grep -E '^ +by worker: rx_packets ([0-9], 20[0-9]|20[0-9], [0-9])$' "$err"
}

@test "packet sockets share a link's flows, and answer none twice" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
mt.netns.add "lab"
mt.veth({ name = "veth0", addr = "192.168.1.134/24" }, { name = "veth1", netns = "lab" })
assert(mt.attach { name = "veth1", netns = "lab" }):on("", mt.reflect { net = "192.168.1.0/24", except = "192.168.1.134" })
LUA
  device=veth0 start_moontap --stats --workers 2 "$script"
  many_flows
  stop_moontap
  cat "$err"
  assert_counts_add_up "$err"
  both_worked
}

@test "each worker prints, and knows its number; what is made is made once" {
  device_script 'print(mt.worker.id, mt.worker.count)
mt.link.add { name = "br7", kind = "bridge" }
mt.addr.add { dev = "br7", addr = "10.1.1.7/24" }
print(mt.worker.id, "child", mt.spawn({ "sh", "-c", "echo x >>$0; exit 3", arg[1] }):wait())
if mt.worker.id == mt.worker.count then mt.stop() end'
  run "$MOONTAP" run --workers 2 "$script" "$BATS_TEST_TMPDIR/once"
  echo "$output"
  [ "$status" = 0 ]
  for line in $'1\t2' $'2\t2' $'1\tchild\t3'; do grep -qx "$line" <<<"$output"; done
  [ "$(cat "$BATS_TEST_TMPDIR/once")" = x ]
}

@test "outside the main part worker 1 can wait for a child too" {
  device_script 'mt.go(function()
  mt.sleep(0.01)
  if mt.worker.id == 1 then print("child", mt.spawn({ "sh", "-c", "exit 3" }):wait()) mt.stop() end
end)'
  run timeout -s KILL 20 "$MOONTAP" run --workers 2 "$script"
  echo "$output"
  [ "$status" = 0 ]
  [ "$output" = "child	3" ]
}

@test "a device that the script has already is no second one, with one worker or two" {
  device_script 'assert(mt.tun { name = "tun0" })'
  for workers in 1 2; do
    run timeout -s KILL 20 "$MOONTAP" run --workers $workers "$script"
    [ "$status" = 1 ]
    [ "$output" = "moontap: $script:4: tun0: the name is in use by this script" ]
  done
}

@test "the lines of a console are all worker 1's" {
  run timeout -s KILL 20 "$MOONTAP" repl -q --workers 2 ping < <(for _ in $(seq 40); do echo mt.worker.id; echo 'mt.sleep(0.001)'; done)
  [ "$status" = 0 ]
  [ "$(sort <<<"$output" | uniq -c)" = "     40 1" ]
  run timeout -s KILL 20 "$MOONTAP" repl -q --workers 2 <<<'mt.worker.id'
  [ "$status" = 0 ]
  [ "$output" = 1 ]
}

@test "a device that is deleted is told once" {
  device_script ''
  start_moontap --workers 2 "$script"
  ip link del tun0
  wait "$moontap_pid"
  moontap_pid=
  [ "$(cat "$err")" = "moontap: tun0: the device is gone; the port is closed" ]
}

@test "a command starts when every worker has set up" {
  device_script 'if mt.worker.id == 2 then mt.sleep(0.3) end
print("set up")'
  run "$MOONTAP" run --workers 3 "$script" -- echo command
  echo "$output"
  [ "${lines[3]}" = command ] || [ "${lines[2]}" = command ]
  [ "$status" = 0 ]
}

@test "a script that makes other calls in another worker is refused with file and line" {
  device_script 'mt.link.add { name = "br" .. mt.worker.id, kind = "bridge" }'
  run "$MOONTAP" run --workers 2 "$script"
  echo "$output"
  [ "$status" = 1 ]
  [ "$output" = "moontap: $script:4: mt.link.add: worker 2 calls it with other arguments, or where worker 1 called mt.link.add (the script must make the same calls in each worker)" ]
  device_script 'if mt.worker.id == 1 then mt.link.add { name = "br1", kind = "bridge" } end
mt.addr.add { dev = "tun0", addr = "10.1.1.1/24" }'
  run "$MOONTAP" run --workers 2 "$script"
  echo "$output"
  [ "$status" = 1 ]
  [ "$output" = "moontap: $script:5: mt.addr.add: worker 2 calls it with other arguments, or where worker 1 called mt.link.add (the script must make the same calls in each worker)" ]
}

@test "an error that worker 1 catches is the same error in the others" {
  device_script 'print(mt.worker.id, pcall(mt.addr.del, { dev = "tun0", addr = "10.9.9.9/24" }))
if mt.worker.id == mt.worker.count then mt.stop() end'
  run "$MOONTAP" run --workers 2 "$script"
  echo "$output"
  [ "$status" = 0 ]
  [ "$(cut -f 2- <<<"$output" | sort -u | wc -l)" = 1 ]
  [ "${#lines[@]}" = 2 ]
}

# file_script CODE: `out` is a file that is written, of which `write(comment)` writes one packet more.
file_script() {
  file=$BATS_TEST_TMPDIR/out.pcapng
  cat >"$script" <<LUA
local mt = require "moontap"
local out = assert(mt.pcap.open(arg[1], "w"))
local ping = mt.packet { { "ip", src = "192.0.2.2", dst = "192.0.2.1" }, { "icmp", type = 8, ident = 1, seq = 1 } }
local function write(comment) out:write(ping, { comment = comment .. mt.worker.id }) end
$1
LUA
}

# What is in the file, in its order.
comments() { { tshark -r "$file" -T fields -e frame.comment 2>/dev/null || echo damaged; } | tr '\n' ' '; }

@test "a file that one worker closes is still written by the others" {
  file_script 'write "first "
out:close()
print(mt.worker.id, pcall(write, "closed "))
local function is_open() return io.popen("ls -l /proc/$PPID/fd"):read("a"):find(arg[1], 1, true) end
if mt.worker.id == 1 then
  assert(is_open())
  mt.every(0.02, function() if not is_open() then mt.stop() end end)
end'
  run timeout 20 "$MOONTAP" run --workers 3 "$script" "$file"
  echo "$output"
  [ "$status" = 0 ]
  [ "$(comments | xargs -n 2 | sort | xargs)" = "first 1 first 2 first 3" ]
  for i in 1 2 3; do grep -qx "$i	false	.*: pcap: the file is closed" <<<"$output"; done
}

@test "a file that a worker only forgets has what it wrote" {
  file_script 'write "forgotten "
if mt.worker.id == mt.worker.count then mt.stop() end'
  "$MOONTAP" run --workers 2 "$script" "$file"
  [ "$(comments)" = "forgotten 1 forgotten 2 " ]
}

@test "each opening is another file, and those to read are each worker's own" {
  file_script 'for _ = 1, 9 do write "old " end
out:close()
print(mt.worker.id, mt.pcap.open(arg[2]):next())
out = mt.pcap.open(arg[1], "w")
write "new "
if mt.worker.id == mt.worker.count then mt.stop() end'
  run "$MOONTAP" run --workers 2 "$script" "$file" "$TESTS/captures/raw.pcap"
  echo "$output"
  [ "$status" = 0 ]
  [ "$(grep -c "^[12]	IP .*" <<<"$output")" = 2 ]
  [ "$(comments)" = "new 1 new 2 " ]
}

@test "a file that cannot be written says so in each worker" {
  file_script 'print(mt.worker.id, mt.pcap.open("/nowhere/x", "w"))
print(mt.worker.id, pcall(function() write "lost " out:close() end))
if mt.worker.id == mt.worker.count then mt.stop() end'
  run "$MOONTAP" run --workers 2 "$script" /dev/full
  echo "$output"
  [ "$status" = 0 ]
  for i in 1 2; do
    grep -qx "$i	nil	/nowhere/x: cannot write: No such file or directory .*	2" <<<"$output"
    grep -qx "$i	false	$script:[46]: /dev/full: cannot write: No space left on device .*" <<<"$output"
  done
}

@test "another file in another worker is refused with file and line" {
  file_script 'mt.pcap.open(arg[1] .. mt.worker.id, "w")'
  run "$MOONTAP" run --workers 2 "$script" "$file"
  echo "$output"
  [ "$status" = 1 ]
  [ "$output" = "moontap: $script:5: mt.pcap.open: worker 2 calls it with other arguments, or where worker 1 called mt.pcap.open (the script must make the same calls in each worker)" ]
}

@test "a second worker that fails ends all, and leaves nothing" {
  device_script 'if mt.worker.id == 2 then error "no" end'
  run "$MOONTAP" run --workers 2 "$script"
  [ "$status" = 1 ]
  [ "$output" = "moontap: $script:4: no" ]
}

@test "kill -9 leaves nothing" {
  device_script 'mt.link.add { name = "br7", kind = "bridge" }'
  start_moontap --workers 2 "$script"
  kill -KILL "$moontap_pid"
  wait "$moontap_pid" || true
  moontap_pid=
  for _ in $(seq 100); do
    ip -o link show | grep -qv ': lo:' || break
    sleep 0.02
  done
}

@test "workers run on the processors that are named" {
  device_script ''
  start_moontap --workers 2 --cpus 0 "$script"
  tasks=$(grep -l '^worker [12]$' /proc/"$moontap_pid"/task/*/comm)
  [ "$(wc -l <<<"$tasks")" = 2 ]
  for task in $tasks; do grep -Pq '^Cpus_allowed_list:\t0$' "${task%comm}status"; done
  stop_moontap
}

@test "busy polling answers, sleeps again, and ends in order" {
  device_script ''
  start_moontap --busy-poll=200 --stats "$script"
  pings_are_answered 20 -i 0.01 192.168.1.100
  sleep 0.2
  before=$(awk '{ print $14 + $15 }' /proc/"$moontap_pid"/stat)
  sleep 0.5
  after=$(awk '{ print $14 + $15 }' /proc/"$moontap_pid"/stat)
  [ $((after - before)) -le 5 ]
  stop_moontap
  assert_counts_add_up "$err"
}

@test "wrong numbers of workers, processors and microseconds" {
  while read -r option value wanted; do
    run "$MOONTAP" run "--$option=$value" ping
    [ "$status" = 2 ]
    [ "$output" = "moontap: run: --$option: \"$value\" is not $wanted" ]
  done <<'CASES'
workers 0 a number from 1 to 64
workers 65 a number from 1 to 64
workers two a number from 1 to 64
cpus x a list of processors like 0,2-3
cpus 3-2 a list of processors like 0,2-3
cpus 1000 one of this process (see them: nproc, taskset -p $$)
busy-poll -1 microseconds, from 1 to 1000000
busy-poll 5ms microseconds, from 1 to 1000000
CASES
}
