#!/usr/bin/env bats
# What a script is told of its matches when it makes them.

bats_require_minimum_version 1.5.0
setup() { load common; common_setup; }
teardown() { common_teardown; }

@test "what pcap does not look behind is said once, where the rule is made" {
  cat >"$BATS_TEST_TMPDIR/surprise.lua" <<'LUA'
local mt = require "moontap"
local near, far = mt.pair "eth"
far:on({ tcp = true }, "drop")
far:on("ip and icmp", "drop")
far:on("udp", "drop")
far:on("icmp6 or arp", "drop")
near:send(("\0"):rep(60))
mt.after(0.05, function() mt.stop() end)
LUA
  run --separate-stderr "$MOONTAP" run "$BATS_TEST_TMPDIR/surprise.lua"
  [ "$status" = 0 ]
  echo "$stderr"
  [ "$(grep -c "does not look behind" <<<"$stderr")" = 1 ]
  [[ $stderr == *'surprise.lua:5: the filter "udp" does not look behind IPv6 extension headers (a table of fields does)'* ]]
  run --separate-stderr "$MOONTAP" run -v "$BATS_TEST_TMPDIR/surprise.lua"
  [ "$(grep -c "does not look behind" <<<"$stderr")" = 2 ]
  [[ $stderr == *'surprise.lua:4: the filter "ip and icmp" does not look behind VLAN tags (a table of fields does)'* ]]
  [[ $stderr == *'surprise.lua:5: the filter "udp" does not look behind IPv6 extension headers (a table of fields does)'* ]]
  run --separate-stderr "$MOONTAP" run -q "$BATS_TEST_TMPDIR/surprise.lua"
  [[ $stderr != *"look behind"* ]]
}

@test "check compiles matches, and names what is wrong with its line" {
  printf '%s\n' 'local mt = require "moontap"' 'local near = mt.pair "ip"' \
    'near:on({ ["ip.ttl"] = 300 }, "drop")' >"$BATS_TEST_TMPDIR/wrong.lua"
  run --separate-stderr "$MOONTAP" check "$BATS_TEST_TMPDIR/wrong.lua"
  [ "$status" = 1 ]
  [[ $stderr == *"wrong.lua:3: ip.ttl = 300 is out of range (0 to 255)"* ]]
}
