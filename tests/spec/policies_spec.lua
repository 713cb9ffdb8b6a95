-- The example policies, offline: a NAT, a name server, a firewall.
local testing <const> = require "moontap.testing"
local frames <const> = require "tests.spec.frames"

local function ip(src, dst, l4, payload)
  return { { "ip", src = src, dst = dst }, l4, payload or "payload" }
end

local function verifies(seen)
  assert.is_true(frames.verifies(seen.packet:bytes()))
  return seen.packet
end

describe("nat.lua", function()
  local t
  before_each(function() t = testing.load "scripts/nat.lua" end)
  after_each(function() t:close() end)

  -- Sent by lan0: as it left wan0.
  local function out(src, l4)
    local seen <const> = t:send("lan0", ip(src, "203.0.113.1", l4))
    assert.equal(1, #seen)
    assert.equal("rewrite", seen[1].verdict)
    assert.equal("wan0", seen[1].port)
    return verifies(seen[1])
  end

  local function back(l4)
    return t:send("wan0", ip("203.0.113.1", "198.51.100.1", l4))[1]
  end

  it("rewrites source and port there, and back again, for UDP, TCP and pings", function()
    for _, kind in ipairs { "udp", "tcp" } do
      local sent <const> = out("10.0.0.7", { kind, srcport = 999, dstport = 7 })
      assert.equal("198.51.100.1", sent.ip.src)
      assert.equal(7, sent[kind].dstport)
      local seen <const> = back { kind, srcport = 7, dstport = sent[kind].srcport }
      assert.equal("lan0", seen.port)
      local got <const> = verifies(seen)
      assert.equal("10.0.0.7", got.ip.dst)
      assert.equal(999, got[kind].dstport)
    end
    local sent <const> = out("10.0.0.7", { "icmp", type = 8, ident = 999, seq = 3 })
    local got <const> = verifies(back { "icmp", type = 0, ident = sent.icmp.ident, seq = 3 })
    assert.equal("10.0.0.7", got.ip.dst)
    assert.equal(999, got.icmp.ident)
  end)

  it("gives each flow a port of its own, and the same flow the same", function()
    local a <const> = out("10.0.0.7", { "udp", srcport = 999, dstport = 7 }).udp.srcport
    local b <const> = out("10.0.0.8", { "udp", srcport = 999, dstport = 7 }).udp.srcport
    assert.not_equal(a, b)
    assert.equal(a, out("10.0.0.7", { "udp", srcport = 999, dstport = 8 }).udp.srcport)
    assert.equal("10.0.0.8", back({ "udp", srcport = 7, dstport = b }).packet.ip.dst)
  end)

  it("lets in only what answers, and forgets what is idle", function()
    assert.equal("drop", back({ "udp", srcport = 7, dstport = 40000 }).verdict)
    local port <const> = out("10.0.0.7", { "udp", srcport = 999, dstport = 7 }).udp.srcport
    t:advance(100)
    assert.equal("rewrite", back({ "udp", srcport = 7, dstport = port }).verdict)
    assert.equal("drop", back({ "tcp", srcport = 7, dstport = port }).verdict)
    t:advance(100)
    assert.equal("rewrite", back({ "udp", srcport = 7, dstport = port }).verdict)
    t:advance(140)
    assert.equal("drop", back({ "udp", srcport = 7, dstport = port }).verdict)
  end)

  it("drops what has no port left", function()
    for port = 1, 1000 do out("10.0.0.7", { "udp", srcport = port, dstport = 7 }) end
    local one <const> = ip("10.0.0.7", "203.0.113.1", { "udp", srcport = 1001, dstport = 7 })
    assert.equal("drop", t:send("lan0", one)[1].verdict)
    t:advance(140)
    assert.equal("rewrite", t:send("lan0", one)[1].verdict)
  end)
end)

describe("names.lua", function()
  local t
  before_each(function() t = testing.load "scripts/names.lua" end)
  after_each(function() t:close() end)

  local function query(name, type, flags)
    local labels <const> = name:gsub("[^.]+%.?", function(label)
      label = label:gsub("%.$", "")
      return string.char(#label) .. label
    end) .. "\0"
    return string.pack(">I2I2I2I2I2I2", 77, flags or 0x0100, 1, 0, 0, 0) .. labels .. string.pack(">I2I2", type or 1, 1)
  end

  local function ask(message)
    return t:send("tun0", ip("192.0.2.9", "192.0.2.53", { "udp", srcport = 5555, dstport = 53 }, message))[1]
  end

  it("answers with the address, whatever the case of the name", function()
    local seen <const> = ask(query "Moon.eXample")
    assert.equal("reply", seen.verdict)
    local got <const> = verifies(seen)
    assert.equal("192.0.2.53", got.ip.src)
    assert.equal(5555, got.udp.dstport)
    assert.same({ 77, true, true, true, false, 0, 1, 1 }, {
      got.dns.id, got.dns.qr, got.dns.aa, got.dns.rd, got.dns.ra, got.dns.rcode, got.dns.qdcount, got.dns.ancount,
    })
    assert.equal(query("Moon.eXample"):sub(13) .. "\xc0\x0c\0\1\0\1\0\0\0\60\0\4\xc0\0\2\1", got.payload:sub(13))
  end)

  it("knows which names there are, and which have no such record", function()
    local got = verifies(ask(query "sun.example"))
    assert.same({ 3, 0 }, { got.dns.rcode, got.dns.ancount })
    got = verifies(ask(query("tap.example", 28)))
    assert.same({ 0, 0 }, { got.dns.rcode, got.dns.ancount })
  end)

  it("is silent to answers, other ports and what is cut short", function()
    assert.equal("drop", ask(query("moon.example", 1, 0x8100)).verdict)
    for cut = 0, #query "moon.example" - 1 do
      local seen <const> = ask(query("moon.example"):sub(1, cut))
      assert.equal("drop", seen.verdict)
      assert.is_nil(seen.error)
    end
    assert.is_nil(ask(query "moon.example" .. "\0\0").error)
    assert.equal("drop", ask(query("moon.example"):sub(1, 12) .. "\xc0\x0c\0\1\0\1").verdict)
  end)
end)

describe("firewall.lua", function()
  local t
  before_each(function() t = testing.load "scripts/firewall.lua" end)
  after_each(function() t:close() end)

  local host <const>, far <const> = "198.51.100.7", "203.0.113.1"
  local function in_(l4, dst) return t:send("outside", ip(far, dst or host, l4))[1] end
  local function out(l4) return t:send("inside", ip(host, far, l4))[1] end

  it("lets those inside ask, and those outside answer for a minute", function()
    local answer <const> = { "udp", srcport = 5300, dstport = 5555 }
    assert.equal(13, in_(answer).packet.icmp.code) -- admin-prohibited
    local asked <const> = out { "udp", srcport = 5555, dstport = 5300 }
    assert.equal("pass", asked.verdict)
    assert.equal("outside", asked.port)
    assert.equal("ask", asked.rule)
    local seen <const> = in_(answer)
    assert.equal("pass", seen.verdict)
    assert.equal("inside", seen.port)
    assert.equal("answers", seen.rule)
    assert.equal("closed", in_({ "udp", srcport = 54, dstport = 5555 }).rule)
    assert.equal("closed", in_({ "tcp", srcport = 53, dstport = 5555 }).rule)
    t:advance(59)
    assert.equal("answers", in_(answer).rule)
    t:advance(2)
    assert.equal("closed", in_(answer).rule)
  end)

  it("lets pings out and their replies in, not pings in", function()
    assert.equal("drop", in_({ "icmp", type = 8, ident = 9, seq = 1 }).verdict)
    out { "icmp", type = 8, ident = 9, seq = 1 }
    assert.equal("answers", in_({ "icmp", type = 0, ident = 9, seq = 1 }).rule)
    assert.equal("drop", in_({ "icmp", type = 0, ident = 8, seq = 1 }).verdict)
  end)

  it("shows the web server alone, and refuses the rest politely", function()
    for port, rule in pairs { [80] = "web server", [443] = "web server", [22] = "closed" } do
      assert.equal(rule, in_({ "tcp", srcport = 1024, dstport = port }, "198.51.100.80").rule)
    end
    local seen <const> = in_({ "tcp", srcport = 1024, dstport = 80 })
    assert.equal("closed", seen.rule)
    assert.equal("outside", seen.port)
    assert.equal(3, verifies(seen).icmp.type)
  end)

  it("believes no forged source, and no fragment", function()
    assert.equal("forged source", t:send("inside", ip("192.0.2.1", far, { "udp" }))[1].rule)
    assert.equal("forged source", t:send("outside", ip(host, "198.51.100.80", { "tcp", dstport = 80 }))[1].rule)
    out { "udp", srcport = 5555, dstport = 5300 }
    for _, place in ipairs { { true, 0 }, { true, 8 }, { false, 8 }, { false, 65528 } } do
      local function part(from, to)
        return { { "ip", src = from, dst = to, mf = place[1], frag_offset = place[2] }, "a part of a datagram" }
      end
      assert.equal("fragments", t:send("outside", part(far, host))[1].rule)
      assert.equal("fragments", t:send("inside", part(host, far))[1].rule)
    end
    local first <const> = { { "ip", src = far, dst = host, mf = true }, { "udp", srcport = 5300, dstport = 5555 }, "part" }
    assert.equal("fragments", t:send("outside", first)[1].rule)
  end)
end)
