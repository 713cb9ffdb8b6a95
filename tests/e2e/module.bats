#!/usr/bin/env bats
# moontap.so inside a stock lua5.4: one worker, and mt.run() where the script wants to serve.

setup() {
  load common
  common_setup
  lib=$(dirname "$MOONTAP")/../lib/lua/5.4
  export LUA_CPATH="$lib/?.so;;"
}
teardown() { common_teardown; }

@test "exports luaopen_moontap alone and links no Lua" {
  run nm -D --defined-only "$lib/moontap.so"
  [ "$(awk 'NF == 3 { print $3 }' <<<"$output")" = luaopen_moontap ]
  run ldd "$lib/moontap.so"
  [[ $output != *lua* ]]
}

@test "answers 20 of 20 pings from mt.run(), and Ctrl-C ends it with nothing left" {
  # a background job of a shell without job control ignores SIGINT: env gives it back
  env --default-signal=INT lua5.4 -e "dofile '$TESTS/../scripts/ping.lua' require 'moontap'.run()" \
    >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  moontap_pid=$!
  for _ in $(seq 100); do ip -o link show tun0 up 2>/dev/null | grep -q . && break; sleep 0.02; done
  pings_are_answered 20 -i 0.01 192.168.1.100
  pid=$moontap_pid
  moontap_pid=
  kill -INT "$pid"
  run wait "$pid"
  [[ $(cat "$BATS_TEST_TMPDIR/out") == *interrupted* ]]
}

@test "mt.sleep serves packets, and mt.stop ends mt.run()" {
  run lua5.4 - <<'LUA'
local mt = require "moontap"
local near, far = assert(mt.pair("ip", "near", "far"))
local got = 0
far:on(nil, "reply")
near:on(nil, function() got = got + 1 return "handled" end)
near:send "\x45\x00\x00\x1c\x00\x01\x40\x00\x40\x01\xb6\xa5\xc0\xa8\x01\x86\xc0\xa8\x01\x64\x08\x00\xd6\xcb\x21\x33\x00\x01"
mt.sleep(0.05)
print("got", got)
mt.after(0.01, function() mt.stop() end)
mt.run()
print "ended"
LUA
  [ "$status" = 0 ]
  [ "$output" = $'got\t1\nended' ]
}
