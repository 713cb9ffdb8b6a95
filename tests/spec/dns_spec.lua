-- DNS as scripts see it: questions read, answers made in place, everything right for who asked.
local mt <const> = require "moontap"

local QUESTION <const> = "\x12\x34\x01\x10\0\x01\0\0\0\0\0\0\x04moon\x07example\0\0\x01\0\x01"

local function query(question)
  return mt.packet { { "ip", src = "192.0.2.1", dst = "192.0.2.53" }, { "udp", srcport = 1024, dstport = 53 },
    question or QUESTION }
end

-- Does a rule make `answer` of the query, and send it back? Gives what comes.
local function answered(answer, question)
  local near <const>, far <const> = mt.pair "ip"
  local out
  far:on(nil, function(pkt)
    pkt.dns:answer(answer)
    return "reply"
  end)
  near:on(nil, function(pkt)
    out = pkt:copy()
    return "drop"
  end)
  near:send(query(question))
  for _ = 1, 100 do
    if out then break end
    mt.sleep(0.01)
  end
  near:close()
  far:close()
  return out
end

describe("pkt.dns", function()
  it("reads the question", function()
    local dns <const> = query().dns
    assert.equal("moon.example", dns.qname)
    assert.equal(1, dns.qtype)
    assert.is_false(dns.qr)
    assert.same({ { name = "moon.example", type = "A", class = "IN" } }, dns:questions())
    assert.same({}, dns:answers())
    assert.is_nil(dns.a)
  end)

  it("answers with an address, lengths and checksums right", function()
    local pkt <const> = answered { data = "192.0.2.80", ttl = 300 }
    assert.equal("192.0.2.53", pkt.ip.src)
    assert.equal(1024, pkt.udp.dstport)
    assert.same({ { name = "moon.example", type = "A", class = "IN", ttl = 300, data = "192.0.2.80" } },
      pkt.dns:answers())
    assert.equal("192.0.2.80", pkt.dns.a)
    assert.same({ true, true, true, true, 0x1234 },
      { pkt.dns.qr, pkt.dns.aa, pkt.dns.rd, pkt.dns.cd, pkt.dns.id })
    assert.equal(#pkt - 20, pkt.udp.length)
    local built <const> = mt.packet { { "ip", src = "192.0.2.53", dst = "192.0.2.1" },
      { "udp", srcport = 53, dstport = 1024 }, pkt.payload }
    assert.equal(built.udp.checksum, pkt.udp.checksum)
  end)

  it("answers with several records of several types", function()
    local pkt <const> = answered { { type = "CNAME", data = "tap.example" },
      { name = "tap.example", data = "2001:db8::1" }, { type = "MX", data = "10 mail.example" },
      { type = "TXT", data = ("x"):rep(300) } }
    local list <const> = pkt.dns:answers()
    assert.same({ "CNAME", "AAAA", "MX", "TXT" }, { list[1].type, list[2].type, list[3].type, list[4].type })
    assert.same({ "tap.example", "2001:db8::1", "10 mail.example", ("x"):rep(300) },
      { list[1].data, list[2].data, list[3].data, list[4].data })
    assert.equal("tap.example", list[2].name)
    assert.same({ "tap.example", "2001:db8::1" }, { pkt.dns.cname, pkt.dns.aaaa })
  end)

  it("answers that there is no such name", function()
    local pkt <const> = answered { rcode = "nxdomain" }
    assert.same({ 3, 0, 1 }, { pkt.dns.rcode, pkt.dns.ancount, pkt.dns.qdcount })
  end)

  it("says truncated instead of more than 512 bytes", function()
    local pkt <const> = answered { type = "TXT", data = ("x"):rep(500) }
    assert.same({ true, 0 }, { pkt.dns.tc, pkt.dns.ancount })
    assert.equal("moon.example", pkt.dns.qname)
  end)

  it("refuses what cannot be, the packet untouched", function()
    local pkt <const> = query()
    local before <const> = pkt:bytes()
    assert.has_error(function() pkt.dns:answer { data = "moon", type = "A" } end,
      'pkt.dns:answer: data of type A is an address, not "moon"')
    assert.has_error(function() pkt.dns:answer { data = "a..b", type = "CNAME" } end,
      'pkt.dns:answer: "a..b" is no domain name')
    assert.has_error(function() pkt.dns:answer { data = "192.0.2.1", ttl = -1 } end,
      "pkt.dns:answer: ttl = -1 is out of range (0 to 2147483647)")
    assert.has_error(function() pkt.dns:answer { data = "192.0.2.1", rcode = "nxdomian" } end)
    assert.has_error(function() query(("\0"):rep(12)).dns:answer {} end,
      "pkt.dns:answer: this is no query with one question")
    assert.equal(before, pkt:bytes())
  end)

  it("has its own methods only", function()
    assert.has_error(function() return query().dns:options() end)
    assert.has_error(function() return query().udp:answers() end)
    local answers <const> = query().dns.answers
    assert.has_error(function() answers(query().udp) end)
    assert.has_error(function() answers(query()) end)
  end)
end)

describe("options of a layer", function()
  it("are a list in their order", function()
    local options <const> = "\1\2\4\5\xb4\4\2\0"
    local pkt <const> = mt.packet("\x45\0\0\x30\0\0\x40\0\x40\6\0\0\xc0\0\2\1\xc0\0\2\2" ..
      "\4\0\0\x50\0\0\0\1\0\0\0\0\x70\2\xff\xff\0\0\0\0" .. options, "ip")
    assert.is_nil(pkt.malformed)
    assert.equal(1460, pkt.tcp.mss)
    assert.is_true(pkt.tcp.sack_permitted)
    assert.same({}, { pkt.tcp.wscale, pkt.tcp.ts_val })
    assert.same({ { name = "mss", number = 2, bytes = "\5\xb4" },
      { name = "sack-permitted", number = 4, bytes = "" } }, pkt.tcp:options())
  end)
end)
