#!/usr/bin/env bats
# moontap.testing, wherever tests are run: alone, in busted, under a stock lua5.4; by an ordinary user.

setup() {
  load common
  common_setup
  root=$(dirname "$MOONTAP")/..
  export LUA_CPATH="$root/lib/lua/5.4/?.so;;" LUA_PATH="$root/share/moontap/scripts/?.lua;;"
  cd "$TESTS/.." || return
}
teardown() { common_teardown; }

@test "a test of its own, under a stock lua5.4 and under moontap" {
  cat >"$BATS_TEST_TMPDIR/test.lua" <<'LUA'
local testing = require "moontap.testing"
local t <close> = testing.load "scripts/ping.lua"
local ping = "\x45\0\0\x1c\0\1\x40\0\x40\1\xb6\xa5\xc0\xa8\1\x86\xc0\xa8\1\x64\8\0\xd6\xcb\x21\x33\0\1"
print(t:send("tun0", ping)[1].packet)
require "moontap".stop()
LUA
  for lua in lua5.4 "$MOONTAP run"; do
    run $lua "$BATS_TEST_TMPDIR/test.lua"
    echo "$output"
    [ "$status" = 0 ]
    [ "$output" = "IP 192.168.1.100 > 192.168.1.134: ICMP echo reply, id 8499, seq 1, length 8" ]
  done
}

@test "Debian's busted runs such specs under a stock lua5.4, without privileges" {
  copy=$BATS_TEST_TMPDIR
  cp -r scripts tests "$copy"
  mkdir -p "$copy/lib"
  cp "$root/lib/lua/5.4/moontap.so" "$copy/lib"
  chmod -R a+rX "$BATS_RUN_TMPDIR"
  cd "$copy" || return
  export LUA_CPATH="./lib/?.so;;" LUA_PATH="./scripts/?.lua;./?.lua;;"
  for spec in scripts testing; do
    run setpriv --reuid 65534 --regid 65534 --clear-groups \
      lua5.4 -e 'require "busted.runner" { standalone = false, output = "TAP" }' /dev/null "tests/spec/${spec}_spec.lua"
    echo "$output"
    [ "$status" = 0 ]
    [[ $output == *"ok 1"* && $output != *"not ok"* ]]
  done
}
