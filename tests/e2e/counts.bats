#!/usr/bin/env bats
# Every packet that is read is counted once, whatever scripts and senders do wrong.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
  err=$BATS_TEST_TMPDIR/err
}
teardown() { common_teardown; }

# device_script CODE: a tun of ping.lua's prefixes, then CODE.
device_script() {
  cat >"$script" <<LUA
local mt = require "moontap"
local tun = assert(mt.tun { name = "tun0", addr = { "192.168.1.134/24", "2001:db8:1::134/64" } })
$1
LUA
}

# pings_get COUNT_ANSWERED COUNT_SENT ADDR
pings_get() {
  run ping -n -c "$2" -i 0.01 -W 1 "$3"
  echo "$output"
  [[ $output == *"$2 packets transmitted, $1 received"* ]]
}

@test "each verdict is counted by its word, and the sum is what was read" {
  device_script 'tun:on("dst 192.168.1.1", "reply")
tun:on("dst 192.168.1.2", "drop")
tun:on("dst 192.168.1.3", "pass")
tun:on("dst 192.168.1.4", "handled")
tun:on("dst 192.168.1.5", function(pkt) pkt.ip.src, pkt.ip.dst = pkt.ip.dst, pkt.ip.src pkt.icmp.type = 0 return "rewrite" end)
tun:on("dst 192.168.1.6", function() end)'
  start_moontap --stats "$script"
  pings_get 4 4 192.168.1.1
  for addr in 2 3 4 6; do pings_get 0 2 192.168.1.$addr; done
  pings_get 3 3 192.168.1.5
  stop_moontap
  cat "$err"
  assert_counts_add_up "$err"
  grep -Eq '= replied 4 \+ rewritten 3 \+ passed 0 \+ dropped [0-9]+ \+ handled 2$' "$err"
  grep -q 'no_next 2' "$err"
  grep -q 'tx_packets 7 ' "$err"
}

@test "a rule that errors costs that packet only, and is told once a second" {
  device_script 'local n = 0
tun:on("icmp", function(pkt)
  n = n + 1
  if n % 2 == 0 then error("even") end
  return "reply"
end)'
  start_moontap --stats "$script"
  pings_get 10 20 192.168.1.100
  stop_moontap
  cat "$err"
  assert_counts_add_up "$err"
  grep -q 'script_errors 10$' "$err"
  grep -Eq 'dropped: .*script_error 10' "$err"
  [ "$(grep -c "^moontap: $script:6: even" "$err")" -ge 1 ]
  [ "$(grep -c "^moontap: $script:6: even" "$err")" -le 3 ]
}

@test "an error with on_error pass passes the packet on" {
  device_script 'local a, b = mt.pair("ip")
tun:pass_to(a)
b:on(nil, function(pkt) print(pkt) return "drop" end)
tun:on("icmp", function() error("broken") end).on_error = "pass"'
  start_moontap --stats "$script"
  pings_get 0 1 192.168.1.100
  stop_moontap
  grep -q 'ICMP echo request' "$BATS_TEST_TMPDIR/out"
  assert_counts_add_up "$err"
  grep -Eq '^tun0.*' "$err"
  grep -q 'passed 1 ' "$err"
}

@test "what is no verdict is an error that names value, file and line" {
  for value in '"repyl"' 42 '{}' true; do
    device_script "tun:on('icmp', function() return $value end)"
    start_moontap --stats "$script"
    pings_get 0 1 192.168.1.100
    stop_moontap
    cat "$err"
    grep -Eq "^moontap: $script:3: the rule's function returned .*, which is no verdict \(reply, rewrite, pass, drop, handled or nil\)\$" "$err"
    assert_counts_add_up "$err"
    grep -q 'script_errors 1$' "$err"
  done
}

@test "reply after addresses were written by hand is an error that says rewrite" {
  device_script 'tun:on("icmp", function(pkt) pkt.ip.src, pkt.ip.dst = pkt.ip.dst, pkt.ip.src return "reply" end)'
  start_moontap --stats "$script"
  pings_get 0 1 192.168.1.100
  stop_moontap
  grep -Fqx "moontap: $script:3: the rule's function wrote addresses or ports by hand and said reply: it means rewrite" "$err"
  assert_counts_add_up "$err"
}

@test "a packet kept beyond its call raises, and costs nothing else" {
  device_script 'local kept
tun:on("icmp", function(pkt) kept = pkt return "reply" end)
mt.every(0.02, function() if kept then print(pcall(function() return kept.ip.src end)) mt.stop() end end)'
  start_moontap "$script"
  pings_get 1 1 192.168.1.100
  wait "$moontap_pid"
  moontap_pid=
  grep -q 'packet used after its verdict; keep one with pkt:copy()' "$BATS_TEST_TMPDIR/out"
}

# Falsified requests cross an in-memory pair; on its other end sits the reflector.
@test "malformed packets are counted, never answered, never a crash" {
  cat >"$script" <<'LUA'
local mt = require "moontap"
local near, far = mt.pair("ip", "near", "far")
far:on(nil, mt.reflect { net = { "10.0.0.0/8", "fd00::/16" } })
far:on("icmp", function(pkt) return nil, tostring(pkt), pkt:hex() end)
local answers = 0
near:on(nil, function() answers = answers + 1 return "drop" end)

local v4 = "\x45\0\0\x24\0\1\0\0\x40\1\x66\xd6\x0a\0\0\1\x0a\0\0\2" .. "\8\0\x36\x9d\0\1\0\1moontap!"
local v6 = "\x60\0\0\0\0\8\x3a\x40\xfd\0" .. ("\0"):rep(13) .. "\1\xfd\0" .. ("\0"):rep(13) .. "\2" ..
  "\x80\0\x85\xb6\0\1\0\1"
local sent = 0
local function send(bytes) sent = sent + 1 near:send(bytes) end
send(v4)
send(v6)
mt.sleep(0.01)
if mt.worker.id == 1 then print("good", far.counters.replied) end

for _, good in ipairs { v4, v6 } do
  -- cut at each byte
  for length = 1, #good - 1 do send(good:sub(1, length)) end
  -- each byte set to what lengths and versions like least; the answer must verify or not come
  for i = 1, #good do
    for _, byte in ipairs { 0x00, 0x01, 0x7f, 0x80, 0xff } do
      if good:byte(i) ~= byte then send(good:sub(1, i - 1) .. string.char(byte) .. good:sub(i + 1)) end
    end
    if sent % 50 == 0 then mt.sleep(0.001) end
  end
end
send(("\xff"):rep(1500))
send(("\0"):rep(1500))
send(("\x45"):rep(1500))
send(("\x60"):rep(1500))
send "\xf0"
mt.sleep(0.2)
if mt.worker.id > 1 then return end
local c = far.counters
print("sent", sent, "read", c.rx_packets, "malformed", c.malformed > 100 and "many" or c.malformed)
print("answered", answers, "replied", c.replied, "errors", c.script_errors)
mt.stop()
LUA
  run timeout -s KILL 60 "$MOONTAP" run --stats "$script"
  echo "$output"
  [ "$status" = 0 ]
  echo "$output" | grep '^[a-z]* *rx_packets\|= replied' >"$BATS_TEST_TMPDIR/counts"
  assert_counts_add_up "$BATS_TEST_TMPDIR/counts"
  read -r _ sent _ seen _ malformed <<<"${lines[1]}"
  [ "${lines[0]}" = "good	2" ]
  [ "$sent" = "$seen" ]
  [ "$malformed" = many ]
  # Only fields that no checksum covers may change and still be answered: none of v4, and of v6
  # traffic class, flow label and hop limit: 17, and the two good ones.
  read -r _ answered _ replied _ errors <<<"${lines[2]}"
  [ "$answered" = "$replied" ]
  [ "$errors" = 0 ]
  [ "$replied" = 19 ]
}

@test "a request with a wrong checksum that comes by a real device gets no answer" {
  device_script 'tun:on("icmp", function(pkt) if pkt.icmp.seq == 2 then pkt.icmp.checksum = pkt.icmp.checksum ~ 1 end end)
tun:on(nil, mt.reflect {})'
  start_moontap --stats "$script"
  pings_get 3 4 192.168.1.100
  stop_moontap
  assert_counts_add_up "$err"
  grep -Eq 'dropped: .*bad_checksum 1' "$err"
}
