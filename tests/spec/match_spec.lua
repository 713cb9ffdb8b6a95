-- A rule's match as a table of fields: what holds, what does not, and what is refused.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local ip4 <const>, ip6 <const>, eth <const> = frames.ip4, frames.ip6, frames.eth

local function udp(t) return ip4({ proto = 17, ttl = t and t.ttl, src = t and t.src, dst = t and t.dst }, frames.udp(t or {})) end
local function tcp(t) return ip4({ proto = 6, src = t and t.src }, frames.tcp(t or {})) end
local ECHO <const> = ip4({}, frames.icmp {})
local ECHO6 <const> = ip6({}, frames.icmp6 {})
local UDP <const> = udp { srcport = 1024, dstport = 53 }
local SYN <const>, SYN_ACK <const> = tcp { dstport = 80, flags = 0x02 }, tcp { dstport = 80, flags = 0x12 }
local ARP <const> = eth(0x0806, frames.arp {})
local TAGGED <const> = eth(0x0800, UDP, { tags = "\x88\xa8\x60\7\x81\0\0\5" })

describe("a match of fields", function()
  local near, far

  before_each(function() near, far = mt.pair("ip", "near", "far") end)
  after_each(function()
    near:close()
    far:close()
  end)

  -- Whether the match holds for the bytes, of a port of kind `first`.
  local function holds(match, bytes, first)
    local to <const>, from <const> = mt.pair(first or "ip")
    local rule <const> = from:on(match, "drop")
    to:send(bytes)
    local give_up <const> = mt.now() + 10
    while from.counters.rx_packets == 0 do
      assert(mt.now() < give_up)
      mt.sleep(0.0005)
    end
    to:close()
    from:close()
    return rule.hits == 1
  end

  local function assert_holds(match, bytes, first) assert.is_true(holds(match, bytes, first)) end
  local function assert_fails(match, bytes, first) assert.is_false(holds(match, bytes, first)) end

  -- `names` are tested one by one, as `message` at the line that makes the rule.
  local function assert_refused(message, match)
    local line <const> = debug.getinfo(1, "l").currentline + 1
    local ok <const>, text <const> = pcall(function() far:on(match, "drop") end)
    assert.is_false(ok)
    assert.equal(("%s:%d: %s"):format(debug.getinfo(1, "S").short_src, line, message), text)
  end

  it("holds where all of its tests hold", function()
    assert_holds({ ["icmp.type"] = 8 }, ECHO)
    assert_fails({ ["icmp.type"] = 0 }, ECHO)
    assert_holds({ ["icmp.type"] = 8, ["icmp.code"] = 0, ["ip.dst"] = "192.0.2.100", ["ip.ttl"] = 64 }, ECHO)
    assert_fails({ ["icmp.type"] = 8, ["icmp.code"] = 0, ["ip.dst"] = "192.0.2.100", ["ip.ttl"] = 63 }, ECHO)
    assert_fails({ ["icmp.type"] = 8, ["icmp.code"] = 1, ["ip.dst"] = "192.0.2.100", ["ip.ttl"] = 64 }, ECHO)
    assert_holds({}, ECHO)
    assert_holds({ ["icmp.ident"] = 0x2133, ["icmp.seq"] = 7 }, ECHO)
    assert_holds({ ["icmpv6.type"] = 128, ["ipv6.src"] = "2001:db8::1" }, ECHO6)
  end)

  it("does not hold where the layer or field is absent", function()
    assert_fails({ ["udp.dstport"] = 53 }, ECHO)
    assert_fails({ ["udp.dstport"] = mt.range(0, 65535) }, ECHO)
    assert_fails({ ["icmp.ident"] = mt.range(0, 65535) }, ip4({}, frames.icmp { type = 3 }))
    assert_fails({ ["ip.ttl"] = 64 }, ECHO6)
    assert_fails({ ["ip.src"] = "0.0.0.0/0" }, ECHO6)
  end)

  it("takes lists, of which one must be it", function()
    assert_holds({ ["udp.dstport"] = { 53, 5353 } }, UDP)
    assert_holds({ ["udp.dstport"] = { 5353, 53 } }, UDP)
    assert_fails({ ["udp.dstport"] = { 52, 54 } }, UDP)
    assert_holds({ ["ip.src"] = { "10.0.0.0/8", "192.0.2.1" } }, UDP)
    assert_fails({ ["ip.src"] = { "10.0.0.0/8", "192.0.2.2" } }, UDP)
    assert_holds({ ["ip.ttl"] = { 1, mt.range(60, 70), mt.mask(0x80, 0xff) } }, UDP)
    assert_fails({ ["ip.ttl"] = { 1, mt.range(65, 70), mt.mask(0x80, 0xff) } }, UDP)
    local many <const> = {}
    for i = 1, 1000 do many[i] = i * 61 % 65536 end
    for port = 1, 300 do
      local is_in = false
      for _, one in ipairs(many) do is_in = is_in or one == port end
      if port % 20 == 0 or is_in then assert.equal(is_in, holds({ ["udp.dstport"] = many }, udp { dstport = port })) end
    end
  end)

  it("takes prefixes of addresses", function()
    assert_holds({ ["ip.dst"] = "192.0.2.0/24" }, UDP)
    assert_holds({ ["ip.dst"] = "192.0.2.77/25" }, UDP)
    assert_fails({ ["ip.dst"] = "192.0.2.0/26" }, UDP)
    assert_holds({ ["ip.dst"] = "192.0.2.100/32" }, UDP)
    assert_fails({ ["ip.dst"] = "192.0.2.101/32" }, UDP)
    assert_holds({ ["ip.dst"] = "0.0.0.0/0" }, UDP)
    assert_holds({ ["ipv6.src"] = "2001:db8::/32" }, ECHO6)
    assert_fails({ ["ipv6.src"] = "2001:db9::/32" }, ECHO6)
    assert_holds({ ["ipv6.src"] = { "fe80::/10", "2001:db8::/127" } }, ECHO6)
    assert_holds({ ["ipv6.dst"] = "::/0" }, ECHO6)
    assert_holds({ ["arp.src_ip"] = "192.0.2.0/30" }, ARP, "eth")
  end)

  it("takes ranges, ends included", function()
    assert_holds({ ["ip.ttl"] = mt.range(64, 70) }, UDP)
    assert_holds({ ["ip.ttl"] = mt.range(1, 64) }, UDP)
    assert_fails({ ["ip.ttl"] = mt.range(65, 255) }, UDP)
    assert_fails({ ["ip.ttl"] = mt.range(0, 63) }, UDP)
    assert_holds({ ["ip.dst"] = mt.range("192.0.2.9", "192.0.2.100") }, UDP)
    assert_fails({ ["ip.dst"] = mt.range("192.0.2.9", "192.0.2.99") }, UDP)
    assert_holds({ ["ipv6.src"] = mt.range("2001:db8::", "2001:db8::1") }, ECHO6)
    assert_fails({ ["ipv6.src"] = mt.range("2001:db8::2", "2001:db8:1::") }, ECHO6)
  end)

  it("takes masks", function()
    local syn_alone <const> = { ["tcp.flags"] = mt.mask(0x02, 0x12) }
    assert_holds(syn_alone, SYN)
    assert_fails(syn_alone, SYN_ACK)
    assert_holds({ ["ip.dst"] = mt.mask("0.0.0.100", "0.0.0.255") }, UDP)
    assert_fails({ ["ip.dst"] = mt.mask("0.0.0.101", "0.0.0.255") }, UDP)
    assert_holds({ ["ipv6.dst"] = mt.mask("::100", "::ffff") }, ECHO6)
    assert_fails({ ["ipv6.dst"] = mt.mask("::101", "::ffff") }, ECHO6)
    assert_holds({ ["eth.src"] = mt.mask("02:00:00:00:00:00", "ff:ff:ff:00:00:00") }, ARP, "eth")
    assert_fails({ ["eth.src"] = mt.mask("04:00:00:00:00:00", "ff:ff:ff:00:00:00") }, ARP, "eth")
  end)

  it("takes one field as another's value", function()
    local land <const> = { ["ip.src"] = mt.field "ip.dst" }
    assert_holds(land, udp { src = frames.R.ip })
    assert_fails(land, UDP)
    assert_fails({ ["udp.srcport"] = mt.field "tcp.srcport" }, UDP)
    assert_holds({ ["eth.src"] = mt.field "arp.src_mac" }, ARP, "eth")
  end)

  it("asks whether a layer is there", function()
    assert_holds({ udp = true }, UDP)
    assert_fails({ udp = true }, ECHO)
    assert_holds({ udp = false }, ECHO)
    assert_fails({ udp = false }, UDP)
    assert_holds({ ip = true, tcp = false, icmp = false }, UDP)
    assert_holds({ vlan = true, vlan2 = true, udp = true }, TAGGED, "eth")
  end)

  it("takes true and false for fields of one bit", function()
    assert_holds({ ["tcp.syn"] = true, ["tcp.ack_flag"] = false }, SYN)
    assert_fails({ ["tcp.syn"] = true, ["tcp.ack_flag"] = false }, SYN_ACK)
    assert_holds({ ["ip.df"] = false }, UDP)
    assert_holds({ ["tcp.syn"] = { true, false } }, SYN)
  end)

  it("negates plainly with not: also where the layer is absent", function()
    assert_fails({ ["not"] = { ["udp.dstport"] = 53 } }, UDP)
    assert_holds({ ["not"] = { ["udp.dstport"] = 54 } }, UDP)
    assert_holds({ ["not"] = { ["udp.dstport"] = 53 } }, ECHO)
    assert_holds({ ["not"] = { ["udp.dstport"] = 53, ["ip.ttl"] = 1 } }, UDP)
    assert_fails({ ["not"] = { ["not"] = { ["udp.dstport"] = 54 } } }, UDP)
    assert_holds({ udp = true, ["not"] = { ["ip.src"] = "10.0.0.0/8" } }, UDP)
    assert_fails({ ["not"] = {} }, UDP)
  end)

  it("takes any of several, and all", function()
    local dns <const> = { any = { { ["udp.dstport"] = 53 }, { ["tcp.dstport"] = 53 }, { ["tcp.dstport"] = 80 } } }
    assert_holds(dns, UDP)
    assert_holds(dns, SYN)
    assert_fails(dns, ECHO)
    assert_holds({ all = { { udp = true }, { ["ip.ttl"] = 64 } } }, UDP)
    assert_fails({ all = { { udp = true }, { ["ip.ttl"] = 65 } } }, UDP)
    assert_fails({ any = { { udp = true }, { tcp = true } }, ["ip.ttl"] = 1 }, UDP)
    assert_holds({ any = { { ["not"] = { udp = true } }, { ["ip.ttl"] = 64, udp = true } } }, UDP)
  end)

  it("knows the fields of both tags, and what only a whole byte holds in part", function()
    assert_holds({ ["vlan.id"] = 7, ["vlan.priority"] = 3, ["vlan2.id"] = 5 }, TAGGED, "eth")
    assert_fails({ ["vlan2.id"] = 7 }, TAGGED, "eth")
    assert_holds({ ["ip.version"] = 4, ["ip.hdr_len"] = 20, ["ip.frag_offset"] = 0 }, UDP)
    assert_holds({ ["ip.frag_offset"] = mt.range(8, 64) }, ip4({ frag = 2, proto = 17 }, "12345678"))
    assert_holds({ ["ip.frag_offset"] = 16 }, ip4({ frag = 2, proto = 17 }, "12345678"))
    assert_holds({ ["tcp.seq"] = 1000 }, SYN)
    assert_holds({ ["arp.opcode"] = 1, ["arp.src_mac"] = "02:00:00:00:00:01" }, ARP, "eth")
  end)

  it("takes words for numbers", function()
    assert_holds({ ["icmp.type"] = "echo-request" }, ECHO)
    assert_fails({ ["icmp.type"] = "echo-reply" }, ECHO)
    assert_holds({ ["icmpv6.type"] = { "echo-reply", "echo-request" } }, ECHO6)
    assert_holds({ ["tcp.flags"] = mt.mask("syn", "syn|ack") }, SYN)
    assert_fails({ ["tcp.flags"] = mt.mask("syn", "syn|ack") }, SYN_ACK)
    assert_holds({ ["ip.proto"] = "udp" }, UDP)
  end)

  it("looks into tunnels", function()
    local tunnel <const> = ip4({ proto = 4, src = frames.addr4 "198.51.100.1" }, UDP)
    assert_holds({ ["inner.udp.dstport"] = 53, ["inner.ip.src"] = "192.0.2.1", ["ip.src"] = "198.51.100.1" }, tunnel)
    assert_fails({ ["inner.ip.src"] = "198.51.100.1" }, tunnel)
    assert_fails({ ["udp.dstport"] = 53 }, tunnel)
    assert_holds({ inner = true, ["inner.udp"] = true, ["inner.inner"] = false, ["inner.tcp"] = false }, tunnel)
    assert_holds({ inner = false, ["not"] = { ["inner.ip"] = true } }, UDP)
    assert_fails({ inner = true }, UDP)
    assert_holds({ ["inner.ip.dst"] = mt.field "ip.dst" }, tunnel)
    assert_fails({ ["inner.ip.src"] = mt.field "ip.src" }, tunnel)
    local twice <const> = ip4({ proto = 4 }, tunnel)
    assert_holds({ ["inner.inner.udp.dstport"] = { 53, 54 }, ["inner.ip.src"] = "198.51.100.0/24" }, twice)
  end)

  it("compares names in any case", function()
    local question <const> = "\0\1\1\0\0\1\0\0\0\0\0\0\3wWw\7exAmple\3com\0\0\1\0\1"
    local query <const> = udp { dstport = 53, data = question }
    assert_holds({ ["dns.qname"] = "www.example.com" }, query)
    assert_holds({ ["dns.qname"] = { "a.com", "WWW.example.COM" } }, query)
    assert_fails({ ["dns.qname"] = "www.example.co" }, query)
    assert_fails({ ["dns.qname"] = "www.example.org" }, query)
    assert_fails({ ["dns.qname"] = "www.example.com" }, UDP)
    assert_refused('dns.qname is no number: it cannot be mt.range(1, 2)', { ["dns.qname"] = mt.range(1, 2) })
  end)

  it("may be in policy and before, and be one of many", function()
    local rules <const> = {}
    for port = 1, 200 do rules[port] = { { ["udp.dstport"] = port }, "drop" } end
    rules[201] = { { udp = true }, "reply" }
    local made <const> = far:policy(rules)
    local first <const> = far:before(made[1], { ["ip.ttl"] = 7 }, "drop")
    for _, port in ipairs { 53, 200, 201 } do near:send(udp { dstport = port }) end
    near:send(udp { dstport = 53, ttl = 7 })
    local give_up <const> = mt.now() + 10
    while far.counters.rx_packets < 4 do
      assert(mt.now() < give_up)
      mt.sleep(0.001)
    end
    assert.same({ 1, 1, 1, 1, 0 }, { made[53].hits, made[200].hits, made[201].hits, first.hits, made[52].hits })
  end)

  it("prints its parts", function()
    assert.equal("mt.range(1, 5)", tostring(mt.range(1, 5)))
    assert.equal("mt.range(10.0.0.1, 10.0.0.9)", tostring(mt.range("10.0.0.1", "10.0.0.9")))
    assert.equal("mt.mask(2, 18)", tostring(mt.mask(2, 18)))
    assert.equal('mt.field "ip.src"', tostring(mt.field "ip.src"))
  end)

  it("refuses unknown names, with the nearest right one", function()
    assert_refused('match: unknown key "tcpp" (did you mean "tcp"?)', { tcpp = true })
    assert_refused('match: unknown key "no" (did you mean "not"?)', { no = {} })
    assert_refused('match: unknown key "dstport" (a field like "ip.src", a layer like "tcp", not, any or all)', { dstport = 53 })
    assert_refused('ip has no field "tll" (did you mean "ttl"?)', { ["ip.tll"] = 1 })
    assert_refused("a match has names as keys, not 1 (one of several: any = { {...}, {...} })", { { udp = true } })
    assert_refused("a match has names as keys, not true (one of several: any = { {...}, {...} })", { [true] = 1 })
  end)

  it("refuses values out of range or of another kind, at the rule's line", function()
    assert_refused("ip.ttl = 256 is out of range (0 to 255)", { ["ip.ttl"] = 256 })
    assert_refused("ip.ttl = -1 is out of range (0 to 255)", { ["ip.ttl"] = -1 })
    assert_refused("ip.ttl = 300 is out of range (0 to 255)", { ["ip.ttl"] = mt.range(1, 300) })
    assert_refused("tcp.flags = 65535 is out of range (0 to 4095)", { ["tcp.flags"] = mt.mask(2, 0xffff) })
    assert_refused("udp.dstport = 65536 is out of range (0 to 65535)", { ["udp.dstport"] = { 53, 65536 } })
    assert_refused("ip.frag_offset = 7 is out of range (0 to 65528, in steps of its unit)", { ["ip.frag_offset"] = 7 })
    assert_refused('ip.src takes an IPv4 address like "192.0.2.1", not ::1', { ["ip.src"] = "::1" })
    assert_refused('ip.src takes an IPv4 address like "192.0.2.1", not 42', { ["ip.src"] = 42 })
    assert_refused('ip.src takes a prefix like "192.0.2.0/24", not 10.0.0.0/33', { ["ip.src"] = "10.0.0.0/33" })
    assert_refused('ip.src takes a prefix like "192.0.2.0/24", not fe80::/10', { ["ip.src"] = "fe80::/10" })
    assert_refused('ipv6.src takes a prefix like "2001:db8::/32", not 10.0.0.0/8', { ["ipv6.src"] = { "::1", "10.0.0.0/8" } })
    assert_refused("ip.df takes true or false, not 1", { ["ip.df"] = 1 })
    assert_refused("ip.ttl takes an integer, not true", { ["ip.ttl"] = true })
    assert_refused("tcp takes true (the packet has that layer) or false, not 80", { tcp = 80 })
    assert_refused("udp.dstport: a list has values, and at least one", { ["udp.dstport"] = {} })
    assert_refused('udp.dstport: a list has values, not "min"', { ["udp.dstport"] = { 1, min = 1 } })
    assert_refused('not takes a table: ["not"] = {...}, not icmp', { ["not"] = "icmp" })
    assert_refused("any takes a list of tables: any = { {...}, {...} }", { any = {} })
    assert_refused("any takes a list of tables: any = { {...}, {...} }", { any = { udp = true } })
    assert_refused("all takes a list of tables, not of string", { all = { { udp = true }, "tcp" } })
    assert_refused("ip.src = mt.range(10.0.0.9, 10.0.0.1): the first must not be above the second",
      { ["ip.src"] = mt.range("10.0.0.9", "10.0.0.1") })
    assert_refused("tcp.flags = mt.mask(3, 2) never holds: the value has bits that the mask leaves out",
      { ["tcp.flags"] = mt.mask(3, 2) })
    assert_refused('ip.src = mt.field "ip.ttl": the two fields are not of one kind', { ["ip.src"] = mt.field "ip.ttl" })
    assert.error_matches(function() mt.range(5, 1) end, "mt.range(5, 1): the first must not be above the second", 1, true)
    assert.error_matches(function() mt.range {} end, "mt.range takes two integers or two addresses", 1, true)
    assert.error_matches(function() mt.field "udp.srcprt" end, 'udp has no field "srcprt" (did you mean "srcport"?)', 1, true)
  end)

  it("refuses a match that contains itself", function()
    local match <const> = { udp = true }
    match["not"] = match
    assert_refused("a match has at most 16384 tests, in groups at most 16 deep", match)
    assert.equal(0, #near.counters)
  end)
end)
