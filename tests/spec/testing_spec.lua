-- moontap.testing itself: what it says of a script's packets, changes, errors, time and chance.
local testing <const> = require "moontap.testing"
local frames <const> = require "tests.spec.frames"
local mt <const> = require "moontap"

local echo <const> = frames.ip4({}, frames.icmp {})
local path

-- Loads a script of these lines.
local function load(text, options)
  local file <close> = assert(io.open(path, "w"))
  file:write("local mt = require 'moontap'\n", text)
  file:close()
  return testing.load(path, options)
end

local two <const> = [[
local lan = assert(mt.tun { name = "lan", addr = "192.0.2.1/24" })
local wan = assert(mt.tun { name = "wan", addr = "198.51.100.1/24" })
]]

describe("moontap.testing", function()
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("says of each packet where it left, what decided and why it stayed", function()
    local t <close> = load(two .. [[
      lan:pass_to(wan)
      lan:on("icmp", "pass").label = "pings"
      lan:on("udp", function() return "handled" end)
      wan:on("icmp", function() return "rewrite", { lan, wan } end)
    ]])
    local out = t:send("lan", echo)
    assert.equal(1, #out)
    assert.equal("wan", out[1].port)
    assert.equal("lan", out[1].from)
    assert.equal("pass", out[1].verdict)
    assert.equal("pings", out[1].rule)
    assert.is_nil(out[1].reason)
    assert.equal(echo, out[1].packet:bytes())
    out = t:send("lan", frames.ip4({ proto = 17 }, frames.udp {}))
    assert.equal("handled", out[1].verdict)
    assert.equal("lan", out[1].port)
    out = t:send("lan", frames.ip4({ proto = 6 }, frames.tcp {}))
    assert.equal("drop", out[1].verdict)
    assert.equal("policy", out[1].reason)
    assert.is_nil(out[1].rule)
    out = t:send("wan", mt.packet(echo, "ip"))
    assert.equal(2, #out)
    local flooded <const> = { [out[1].port] = out[1].verdict, [out[2].port] = out[2].verdict }
    assert.same({ lan = "rewrite", wan = "rewrite" }, flooded)
  end)

  it("tells what the script sends by itself, in its place", function()
    local t <close> = load(two .. [[
      wan:send(mt.packet { { "ip", proto = 59 } })
      lan:on("icmp", function(pkt)
        wan:send(pkt)
        pkt.ip.ttl = 9
        return "reply"
      end)
    ]])
    assert.equal(1, #t.loaded)
    assert.equal("wan", t.loaded[1].port)
    assert.equal("send", t.loaded[1].verdict)
    assert.is_nil(t.loaded[1].from)
    local out <const> = t:send("lan", echo)
    assert.equal(2, #out)
    assert.equal("send", out[1].verdict)
    assert.equal(64, out[1].packet.ip.ttl)
    assert.equal("reply", out[2].verdict)
    assert.equal(9, out[2].packet.ip.ttl)
  end)

  it("says where a port could not send", function()
    local t <close> = load(two .. [[
      mt.link.set("wan", { mtu = 100 })
      lan:on(nil, function() return "pass", wan end)
    ]])
    local out <const> = t:send("lan", frames.ip4({}, frames.icmp { data = ("x"):rep(100) }))
    assert.equal("pass", out[1].verdict)
    assert.equal("too_long", out[1].reason)
    assert.is_nil(t:send("lan", echo)[1].reason)
  end)

  it("follows a packet through the script's own pairs", function()
    local t <close> = load(two .. [[
      local near, far = mt.pair("ip", "near", "far")
      lan:pass_to(near)
      lan.default = "pass"
      far:on("icmp", "reply")
      near:pass_to(lan)
      near.default = "pass"
    ]])
    local ways <const> = {}
    for i, seen in ipairs(t:send("lan", echo)) do ways[i] = seen.from .. " " .. seen.verdict .. " " .. seen.port end
    assert.same({ "lan pass near", "far reply far", "near pass lan" }, ways)
    assert.error_matches(function() t:send("near", echo) end, "near is a pair's end")
  end)

  it("lets a rule's error be seen with its place", function()
    local t <close> = load(two .. [[
      lan:on("icmp", function(pkt)
        wan:send(pkt)
        return pkt.ip.ttl + nil
      end)
      wan:on("icmp", function() return "droop" end).on_error = "pass"
      wan:pass_to(lan)
    ]])
    for _ = 1, 3 do -- each time, though the log says it once a second
      local out <const> = t:send("lan", echo)
      assert.equal(2, #out)
      assert.is_nil(out[1].error)
      assert.equal("drop", out[2].verdict)
      assert.equal("script_error", out[2].reason)
      assert.matches("^" .. path .. ":6: attempt to perform arithmetic on a nil value$", out[2].error)
    end
    local out <const> = t:send("wan", echo)
    assert.equal("pass", out[1].verdict)
    assert.matches(path .. ':8: the rule\'s function returned "?droop"?, which is no verdict', out[1].error)
  end)

  it("lets an error of a timer or coroutine be seen too", function()
    local t <close> = load(two .. [[
      mt.after(1, function() error "late" end)
      mt.go(function() mt.sleep(2) error "later" end)
    ]])
    assert.equal(0, #t:advance(0.5))
    local out <const> = t:advance(2)
    assert.equal(2, #out)
    assert.equal(path .. ":4: late", out[1].error)
    assert.equal(path .. ":5: later", out[2].error)
    assert.is_nil(out[1].packet)
    assert.equal(1.0, out[2].time - out[1].time)
  end)

  it("moves a clock of its own, and calls timers at their time", function()
    local t <close> = load(two .. [[
      lan:on(nil, function(pkt) print(mt.now() - pkt.time) return "handled" end)
      mt.every(0.5, function() print(mt.now()) wan:send(mt.packet { { "ip", proto = 59 } }) end)
      mt.sleep(2)
      print "slept"
    ]])
    assert.equal("", t.output)
    assert.equal(1e9, t.time)
    local out <const> = t:advance(1.2)
    assert.equal(2, #out)
    assert.equal(1e9 + 0.5, out[1].time)
    assert.equal(1e9 + 1, out[2].time)
    assert.equal(1e9 + 1.2, t.time)
    assert.equal("1000000000.5\n1000000001.0\n", t.output)
    t:advance(0.9)
    assert.equal("1000000000.5\n1000000001.0\n1000000001.5\n1000000002.0\nslept\n", t.output)
    t:send("lan", echo)
    assert.matches("\n0.0\n$", t.output)
    assert.equal(t.time, t:send("lan", echo)[1].packet.time)
  end)

  it("gives its script the arguments, and the same chance for the same seed", function()
    local text <const> = "print(..., #arg, arg[2], math.random(1 << 30))"
    local function said(options)
      local t <close> = load(text, options)
      return t.output
    end
    assert.matches("^a\t2\tb\t%d+\n$", said { args = { "a", "b" } })
    assert.equal(said { seed = 7 }, said { seed = 7 })
    assert.not_equal(said { seed = 7 }, said { seed = 8 })
    assert.equal(said(), said { seed = 0 })
  end)

  it("keeps several scripts apart", function()
    local text <const> = two .. [[
      seen = (seen or 0) + 1
      lan:on(nil, function() seen = seen + 1 print(seen) return "handled" end)
    ]]
    local a <close> = load(text)
    local b <close> = load(text)
    a:send("lan", echo)
    a:send("lan", echo)
    b:send("lan", echo)
    assert.equal("2\n3\n", a.output)
    assert.equal("2\n", b.output)
  end)

  it("gives back what was set, and feeds the reflector with it", function()
    local t <close> = load [[
      local lan = assert(mt.attach "eth7")
      lan:on(nil, mt.reflect {})
      mt.addr.add { addr = "192.0.2.1/24", dev = "eth7" }
      mt.sysctl.set("net.ipv4.ip_forward", 1)
      print(lan.kind, mt.addr.list { dev = "eth7" }[1].addr, mt.sysctl.get "net.ipv4.ip_forward")
      mt.after(1, function() mt.addr.del { addr = "192.0.2.1/24", dev = "eth7" } end)
      mt.link.on_change(function(change) print(change.name) end)
    ]]
    assert.matches("^socket\t192.0.2.1/24\t1\n", t.output)
    assert.matches("\neth7\n", t.output)
    local ask <const> = frames.eth(0x0806, frames.arp {}, { to = ("\xff"):rep(6) })
    assert.equal("reply", t:send("eth7", ask)[1].verdict)
    local own <const> = frames.eth(0x0806, frames.arp { tpa = frames.addr4 "192.0.2.1", spa = frames.addr4 "192.0.2.9" },
      { to = ("\xff"):rep(6) })
    assert.equal("drop", t:send("eth7", own)[1].verdict)
    t:advance(1)
    assert.equal("drop", t:send("eth7", ask)[1].verdict)
  end)

  it("starts nothing: a child is over at once, with 0", function()
    local t <close> = load 'print(assert(mt.spawn { "false" }):wait()) mt.stop(3)'
    assert.equal("0\n", t.output)
    assert.equal(3, t.stopped)
  end)

  it("ends the script in order", function()
    local t <const> = load(two .. 'mt.on_end(function() print "ended" end) mt.run() print "ran"')
    assert.equal("", t.output)
    t:close()
    assert.equal("ran\nended\n", t.output)
    t:close()
    assert.error_matches(function() t:send("lan", echo) end, "closed")
    assert.error_matches(function() t:advance(1) end, "closed")
  end)

  it("raises what is wrong with the script or the test", function()
    assert.error_matches(function() load "mt.tun {}" end, path .. ":2: ")
    assert.error_matches(function() load "mt.sleep(" end, path .. ":2: unexpected symbol")
    assert.error_matches(function() testing.load "/nowhere.lua" end, "/nowhere.lua: no such script")
    assert.error_matches(function() testing.load(path, { arg = {} }) end, 'unknown key "arg" %(did you mean "args"')
    local t <close> = load(two)
    assert.error_matches(function() t:send("lam", echo) end, 'no open port "lam" %(it has lan, wan%)')
    assert.error_matches(function() t:send("lan", mt.packet(("x"):rep(20), "eth")) end, "carries ip packets")
    assert.error_matches(function() t:advance(-1) end, "out of range")
    assert.error_matches(function() return t.sent end, 'no "sent"')
  end)

  it("does not wait for what has no end", function()
    local t <close> = load [[
      local a, b = mt.pair("ip", "a", "b")
      local lan = assert(mt.tun { name = "lan" })
      lan:on(nil, function() return "pass", a end)
      a.default, b.default = "pass", "pass"
      a:pass_to(a)
      b:pass_to(b)
      mt.after(1, function() local function again() mt.after(0, again) end again() end)
    ]]
    assert.error_matches(function() t:send("lan", echo) end, "go round without end")
    assert.error_matches(function() t:advance(2) end, "without end")
  end)
end)
