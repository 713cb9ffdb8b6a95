#!/usr/bin/env bats
# Programs that scripts start, what is seen on links, and when a run ends.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
}
teardown() { common_teardown; }

# Runs the Lua of standard input; it must end with 0 by itself.
lua_runs() {
  { echo 'local mt = require "moontap"'; cat; } >"$script"
  run timeout -s KILL 20 "$MOONTAP" run "$script" "$@"
  echo "$output"
  [ "$status" = 0 ]
}

@test "a child's lines, its last one without an end, then its exit" {
  lua_runs <<'LUA'
local said = {}
local child = assert(mt.spawn { "sh", "-c", "echo one; echo two >&2; printf three; exit 7",
  on_line = function(line) said[#said + 1] = line end,
  on_exit = function(status) said[#said + 1] = status end })
assert(child.pid and child.status == nil)
assert(child:wait() == 7 and child.status == 7 and child.pid == nil and child:wait() == 7)
table.sort(said, function(a, b) return tostring(a) < tostring(b) end)
assert(table.concat(said, " ") == "7 one three two", table.concat(said, " "))
LUA
}

@test "a status is as in sh, and a command that is not there is refused" {
  lua_runs <<'LUA'
assert(mt.spawn { "true" }:wait() == 0)
assert(mt.spawn { "sh", "-c", "kill -9 $$" }:wait() == 137)
local child = mt.spawn { "sleep", 100 }
child:kill()
assert(child:wait() == 143)
child = mt.spawn { "sleep", 100 }
child:kill(9)
assert(child:wait() == 137)
child:kill()
local none, why, errno = mt.spawn { "no-such-command" }
assert(none == nil and why == "no-such-command: command not found" and errno == 2, why)
none, why = mt.spawn { "/etc/passwd" }
assert(none == nil and why:find "Permission denied")
assert(not pcall(mt.spawn, {}) and not pcall(mt.spawn, { "true", on_lin = print }))
LUA
}

@test "many children at once, much output, packets flowing meanwhile" {
  lua_runs <<'LUA'
local tun = assert(mt.tun { name = "tun0", addr = "10.20.0.1/24" })
tun:on("icmp", mt.reflect {})
local lines, children = 0, {}
for i = 1, 10 do
  children[i] = assert(mt.spawn { "seq", 2000, on_line = function() lines = lines + 1 end })
end
local ping = assert(mt.spawn { "ping", "-n", "-q", "-c", 20, "-i", 0.01, "-w", 10, "10.20.0.9", on_line = function() end })
for _, child in ipairs(children) do assert(child:wait() == 0) end
assert(lines == 20000, lines)
assert(ping:wait() == 0)
tun:close()
LUA
}

@test "a child runs in its namespace, and so does the command" {
  lua_runs <<'LUA' -- sh -c 'ip -o link show tun0 | grep -c tun0'
mt.command { netns = "lab" } -- makes it, and before the script waits, for then the command starts
assert(mt.tun { name = "tun0", netns = "lab" })
local found
local child = assert(mt.spawn { "ip", "-o", "link", "show", "tun0", netns = "lab", on_line = function(line) found = line end })
assert(child:wait() == 0 and found:find "tun0")
assert(mt.spawn { "ip", "link", "show", "tun0", on_line = function() end }:wait() == 1)
LUA
  [ "$output" = 1 ]
}

@test "a run waits for ports, timers, children and coroutines, and for nothing else" {
  for code in 'mt.spawn { "sh", "-c", "sleep 0.3; echo end" }' 'mt.after(0.3, function() print "end" end)' \
    'mt.go(function() mt.sleep(0.3) print "end" end)' 'mt.sleep(0.3) print "end"' \
    'local tun = assert(mt.tun { name = "tun0" }) mt.after(0.3, function() tun:close() print "end" end)' \
    'mt.link.on_change(print) print "end"' 'mt.on_end(function() print "end" end)'; do
    lua_runs <<<"$code"
    [ "$output" = end ]
  done
}

@test "mt.on_end runs however a run ends, and what it says is still done" {
  for code in 'mt.stop(0)' 'mt.after(0.05, function() mt.stop(0) end)' ''; do
    lua_runs <<<"mt.on_end(function() print(mt.link.get 'lo'.name) end) $code"
    [ "$output" = lo ]
  done
  printf 'local mt = require "moontap" mt.on_end(function() print "end" end) error "x"' >"$script"
  run timeout -s KILL 20 "$MOONTAP" run "$script"
  [ "$status" = 1 ]
}

@test "a sniff sees requests and answers on a pair, in order of time, with direction" {
  lua_runs <<'LUA'
assert(mt.veth({ name = "v0", addr = "10.1.1.1/24" }, { name = "v1", addr = "10.1.1.2/24", netns = "lab" }))
local ahead = assert(mt.sniff { links = { "v0", "lo" }, match = "icmp" })
local counted = 0
local far = assert(mt.sniff { links = { "v1" }, netns = "lab", match = "icmp", function(pkt)
  assert(pkt.link == "v1" and (pkt.icmp.type == 8) == (pkt.dir == "in"))
  counted = counted + 1
end })
assert(mt.spawn { "ping", "-n", "-q", "-c", 3, "-i", 0.01, "10.1.1.2", on_line = function() end }:wait() == 0)
assert(mt.spawn { "ping", "-n", "-q", "-c", 2, "-i", 0.01, "127.0.0.1", on_line = function() end }:wait() == 0)
local give_up = mt.now() + 10
while counted < 6 and mt.now() < give_up do mt.sleep(0.01) end
far:stop()
assert(counted == 6, counted)
local time, on = 0, { v0 = 0, lo = 0 }
for _, pkt in ipairs(ahead:stop().packets) do
  assert(pkt.time >= time and pkt.time <= mt.now())
  time = pkt.time
  on[pkt.link] = on[pkt.link] + 1
  if pkt.link == "v0" then assert((pkt.icmp.type == 8) == (pkt.dir == "out")) end
end
assert(on.v0 == 6 and on.lo == 4, on.v0 .. " " .. on.lo)
assert(ahead.lost == 0)
assert(not pcall(mt.sniff, { links = { "nowhere" } }))
LUA
}

@test "link.on_change tells of links that come, change and go, in any namespace" {
  lua_runs <<'LUA'
local seen = {}
local function note(change) seen[(change.netns or "") .. ":" .. (change.gone and "gone" or change.name or "")] = change.ifindex end
mt.netns.add "lab"
mt.link.on_change(note)
mt.link.on_change(note, { netns = "lab" })
local br = assert(mt.link.add { name = "br0", kind = "bridge" })
local far = assert(mt.link.add { name = "br1", kind = "bridge", netns = "lab" })
local function await(...)
  local give_up = mt.now() + 10
  for _, key in ipairs { ... } do
    while not seen[key] and mt.now() < give_up do mt.sleep(0.01) end
  end
end
await(":br0", "lab:br1")
mt.link.del "br0"
mt.link.del("br1", { netns = "lab" })
await(":gone", "lab:gone")
assert(seen[":br0"] == br.ifindex and seen[":gone"] == br.ifindex)
assert(seen["lab:br1"] == far.ifindex and seen["lab:gone"] == far.ifindex)
LUA
}

@test "an attached port in a namespace answers by its rules and sees nothing that it sent" {
  lua_runs --stats <<'LUA'
assert(mt.veth({ name = "v0", addr = "10.1.1.1/24" }, { name = "v1", netns = "lab" }))
local port = assert(mt.attach { name = "v1", netns = "lab" })
local sent = 0
port:on(nil, function(pkt) if pkt.icmp and pkt.icmp.type == 0 then sent = sent + 1 end end)
local rule = port:on(nil, mt.reflect { net = "10.1.1.0/24", except = "10.1.1.7" })
assert(mt.spawn { "ping", "-n", "-q", "-c", 5, "-i", 0.01, "-w", 10, "10.1.1.2", on_line = function() end }:wait() == 0)
assert(mt.spawn { "ping", "-n", "-q", "-c", 1, "-w", 1, "10.1.1.7", on_line = function() end }:wait() == 1)
assert(sent == 0 and rule.hits > 5)
port:close()
LUA
}

@test "specs that leave ports open end when they are through" {
  cat >"$BATS_TEST_TMPDIR/open_spec.lua" <<'LUA'
local mt = require "moontap"
it("leaves ports open", function() assert.truthy(mt.pair "ip" and mt.tun { name = "tun7" }) end)
LUA
  run timeout -s KILL 20 "$TESTS/spec/run" "$BATS_TEST_TMPDIR/open_spec.lua"
  echo "$output"
  [ "$status" = 0 ]
  echo 'it("fails", function() error "so" end)' >>"$BATS_TEST_TMPDIR/open_spec.lua"
  run timeout -s KILL 20 "$TESTS/spec/run" "$BATS_TEST_TMPDIR/open_spec.lua"
  [ "$status" = 1 ]
}
