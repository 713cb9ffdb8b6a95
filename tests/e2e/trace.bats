#!/usr/bin/env bats
# --trace: which packets are shown, and how a terminal has them.

bats_require_minimum_version 1.5.0
setup() { load common; common_setup; }
teardown() { common_teardown; }

# traced MATCH SCRIPT ADDR: what is said of one ping.
traced() {
  run timeout -s KILL 60 "$MOONTAP" run -q "--trace=$1" "$2" -- ping -q -c 1 -w 10 "$3"
  [[ $output == *"1 received"* ]]
}

@test "--trace: a table of fields chooses, on tun and tap" {
  local match='{ ["icmp.type"] = "echo-request", ["ip.ttl"] = mt.range(1, 64) }'
  traced "$match" ping 192.168.1.7
  [[ $output == *"ICMP echo request"*"reply by rule ping.lua:8"*"ICMP echo reply"* ]]
  [[ $output != *"router solicitation"* ]]
  traced "$match" ping_tap 192.168.1.7
  [[ $output == *"ICMP echo request"*"reply by rule ping_tap.lua:8"*"ICMP echo reply"* ]]
  [[ $output != *ARP* && $output != *"who-has"* ]]
}

@test "--trace: a filter sees the frames of a tap" {
  traced icmp ping_tap 192.168.1.7
  [[ $output == *"ICMP echo request"* ]]
  [[ $output != *"who-has"* ]]
  traced arp ping_tap 192.168.1.7
  [[ $output == *"who-has"* ]]
  [[ $output != *"ICMP echo request"* ]]
}

@test "--trace: what is no match is usage" {
  run "$MOONTAP" run --trace='{ ["icmp.tpe"] = 8 }'
  [ "$status" = 2 ]
  [ "$output" = 'moontap: run: --trace: icmp has no field "tpe" (did you mean "type"?)' ]
  run "$MOONTAP" run --trace='{ arp = true'
  [ "$status" = 2 ]
  [[ $output == "moontap: run: --trace: "*"'}' expected near <eof>" ]]
}

@test "--trace: on a terminal no line is longer than it is wide, and none is cut" {
  cat >"$BATS_TEST_TMPDIR/reset.lua" <<'LUA'
local mt <const> = require "moontap"
local tun <const> = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })
tun:on({ tcp = true }, mt.reject { with = "tcp-reset" })
LUA
  local connect="bash -c '</dev/tcp/192.168.1.7/80'"
  NO_COLOR=1 run timeout -s KILL 60 script -qec \
    "stty cols 70; exec '$MOONTAP' run -q --trace=tcp '$BATS_TEST_TMPDIR/reset.lua' -- $connect" /dev/null
  local shown
  shown=$(tr -d '\r' <<<"$output" | grep -E '^(->|<-|   )')
  [[ $shown == *$'\n      '*"sackOK"* ]]
  awk 'length > 70 { print; bad = 1 } END { exit bad }' <<<"$shown"
  shown=$(tr -s '\n ' ' ' <<<"$shown")
  # the bytes are those of what came, not of its answer
  [[ $shown == *"Flags [S], seq "*" win "*", options [mss 1460,sackOK,"*"] tun0, 60 bytes: reply"*"Flags [R.]"* ]]
}
