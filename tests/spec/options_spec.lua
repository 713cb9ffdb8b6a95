-- What stands behind a header is built in the shape in which it reads: options, extension headers, DNS records.
local mt <const> = require "moontap"
local frames <const> = require "tests.spec.frames"

-- Which layers have options, and what carries them.
local STACKS <const> = {
  ip = { { "ip" }, { "udp" } }, tcp = { { "ip" }, { "tcp" } }, icmpv6 = { { "ipv6" }, { "icmpv6", type = 134 } },
  dhcp = { { "ip" }, { "udp" }, { "dhcp" } }, ipv6 = { { "ipv6" }, { "udp" } },
}

-- A packet of the layer's stack, with `given` in that layer.
local function built(name, given, payload, front)
  local list <const> = { table.unpack(front or {}) }
  for _, layer in ipairs(STACKS[name]) do
    list[#list + 1] = layer[1] == name and frames.with(layer, given) or layer
  end
  list[#list + 1] = payload
  return mt.packet(list)
end

-- Lengths and checksums right, of IPv6 too where extension headers stand before the transport's.
local function assert_right(pkt)
  assert.is_nil(pkt.malformed)
  for _, status in pkt:tree():gmatch "checksum +(0x%x+), (%a+)" do assert.equal("right", status) end
  local network <const> = #(pkt.eth and frames.inside(pkt:bytes()) or pkt:bytes())
  assert.equal(network, pkt.ip and pkt.ip.len or pkt.ipv6.plen + 40)
end

local function reads(list)
  local short <const> = {}
  for i, option in ipairs(list) do
    short[i] = { number = option.number, bytes = option.bytes, header = option.header }
  end
  return short
end

describe("options", function()
  local FIELDS <const> = {
    { "ip", { router_alert = 7 } },
    { "tcp", { mss = 1460, wscale = 7, sack_permitted = true, ts_val = 0xdeadbeef, ts_ecr = 1 } },
    { "tcp", { sack_left = 1000, sack_right = 2000 } },
    { "icmpv6", { type = 135, target = "2001:db8::7", source_lla = "02:00:00:00:00:07" } },
    { "icmpv6", { type = 134, prefix = "2001:db8:7::", prefix_len = 64, on_link = true, autonomous = true, valid = 86400,
      preferred = 14400, opt_mtu = 1280, dns_server = "2001:db8::53" } },
    { "dhcp", { message_type = "discover", requested_ip = "192.0.2.9", lease_time = 3600, hostname = "moon",
      parameters = "\1\3\6", client_id = "\1\2\0\0\0\0\7", vendor_class = "tap" } },
    { "dhcp", { op = "reply", message_type = "ack", server_id = "192.0.2.1", subnet_mask = "255.255.255.0",
      router = "192.0.2.1", dns_server = "192.0.2.53", domain = "moon.example", renewal_time = 1800,
      rebinding_time = 3150 } },
  }

  it("are there for each field that lies in one", function()
    for _, case in ipairs(FIELDS) do
      local name <const>, given <const> = case[1], case[2]
      for _, payload in ipairs { "", "payload" } do
        local pkt <const> = built(name, given, name ~= "icmpv6" and payload or nil)
        local layer <const> = pkt[name]
        for field, value in pairs(given) do
          -- A word is a number there.
          if type(layer[field]) == "number" and type(value) == "string" then value = mt.packet {
            { "ip" }, { "udp" }, { "dhcp", [field] = value } }.dhcp[field] end
          assert.same({ field, value }, { field, layer[field] })
        end
        assert_right(pkt)
      end
    end
  end)

  it("stand in a table of their own too", function()
    assert.equal(built("tcp", { mss = 1460, wscale = 7 }):bytes(), built("tcp", { options = { mss = 1460, wscale = 7 } }):bytes())
    local pkt <const> = built("tcp", { options = { { name = "timestamps", bytes = ("\0"):rep(8) }, mss = 1460 }, ts_val = 9 })
    assert.same({ 1460, 9, 2 }, { pkt.tcp.mss, pkt.tcp.ts_val, #pkt.tcp:options() })
    assert.equal("\255payload", built("dhcp", { options = {} }, "payload").payload:sub(-8))
    assert.is_nil(built("tcp", { sack_permitted = false }).tcp.sack_permitted)
    assert.equal(20, built("tcp", { sack_permitted = false, options = {} }).tcp.hdr_len)
  end)

  it("are built as they are read", function()
    for _, case in ipairs(FIELDS) do
      local name <const> = case[1]
      local pkt <const> = built(name, case[2])
      local again <const> = built(name, { type = case[2].type, target = case[2].target, op = case[2].op,
        options = pkt[name]:options() })
      assert.same(pkt[name]:options(), again[name]:options())
      assert.is_true(#pkt[name]:options() > 0)
      assert.equal(pkt:bytes(), again:bytes())
    end
  end)

  -- Numbers that nobody gave a meaning; what tshark would look into is no matter here.
  local UNKNOWN <const> = { ip = { 30, 94 }, tcp = { 253, 254 }, icmpv6 = { 253, 254 }, dhcp = { 224, 254 }, ipv6 = { 30, 62 } }

  it("read as they were built, whatever their number and length", function()
    for name, numbers in pairs(UNKNOWN) do
      for round = 1, 60 do
        local options <const>, left = {}, name == "dhcp" and 900 or name == "ipv6" and 600 or 40
        while left > 2 and math.random(6) > 1 do
          local most = math.min(left - 2, name == "icmpv6" and 6 or 255)
          local len = math.random(0, most)
          if name == "icmpv6" then len = 6 end
          options[#options + 1] = { number = numbers[math.random(2)], bytes = ("\7"):rep(len),
            header = name == "ipv6" and (#options % 7 < 3 and "hop-by-hop" or "destination") or nil }
          left = left - 2 - len
        end
        -- Hop-by-hop options stand first.
        if name == "ipv6" then table.sort(options, function(a, b) return a.header > b.header end) end
        for _, front in ipairs { {}, { { "eth" }, { "vlan", id = 5 } }, { { "ipv6" }, { "gre" } } } do
          local pkt <const> = built(name, { options = options }, name ~= "icmpv6" and ("x"):rep(round) or nil, front)
          local inner <const> = pkt.inner or pkt
          assert.same(reads(options), reads(inner[name]:options()))
          assert_right(pkt)
          assert_right(inner)
          if name == "ip" or name == "tcp" then assert.equal(0, inner[name].hdr_len % 4) end
          if name ~= "icmpv6" and name ~= "dhcp" then assert.equal(("x"):rep(round), inner.payload) end
        end
      end
    end
  end)

  it("are written as others are once they are there", function()
    local pkt <const> = built("tcp", { mss = 1460 }, "x")
    pkt.tcp.mss = 536
    assert.equal(536, pkt.tcp.mss)
    assert_right(pkt)
    pkt:push { { "ip", router_alert = 0 }, { "udp" }, { "vxlan" }, { "eth" } }
    assert.same({ 24, 536 }, { pkt.ip.hdr_len, pkt.inner.tcp.mss })
    assert_right(pkt)
    assert_right(pkt.inner)
  end)

  it("that cannot be are refused with what can", function()
    local function refused(text, name, given)
      assert.has_error(function() built(name, given) end, text)
    end
    local function list(...) return { options = { ... } } end
    refused('mt.packet: tcp.options[1]: there is no option "msss" (did you mean "mss"?)', "tcp", list { name = "msss" })
    refused('mt.packet: ip.options[1]: there is no option "xyz" (a number will do)', "ip", list { name = "xyz" })
    refused("mt.packet: tcp.options[2].number = 300 is out of range (2 to 255)", "tcp",
      list({ name = "sack-permitted" }, { number = 300 }))
    refused("mt.packet: dhcp.options[1].number = 255 is out of range (1 to 254)", "dhcp", list { number = 255 })
    refused("mt.packet: icmpv6.options[1].number = 0 is out of range (1 to 255)", "icmpv6", list { number = 0 })
    refused("mt.packet: tcp.options[1].bytes: 1 bytes are too few (at least 2)", "tcp", list { name = "mss", bytes = "x" })
    refused("mt.packet: ip.options[1].bytes: 39 bytes are too many (at most 38)", "ip",
      list { number = 30, bytes = ("x"):rep(39) })
    refused("mt.packet: dhcp.options[1].bytes: 256 bytes are too many (at most 255)", "dhcp",
      list { number = 30, bytes = ("x"):rep(256) })
    refused("mt.packet: tcp.options[2]: the options are too long (at most 40 bytes)", "tcp",
      list({ number = 77, bytes = ("x"):rep(30) }, { number = 78, bytes = ("x"):rep(7) }))
    refused("mt.packet: the options of tcp are too long (at most 40 bytes)", "tcp",
      { mss = 9, options = { { number = 77, bytes = ("x"):rep(35) } } })
    refused("mt.packet: tcp.options[1] needs a name or a number", "tcp", list { bytes = "x" })
    refused("mt.packet: tcp.options[1].number must be an integer, not a string", "tcp", list { number = "x" })
    refused("mt.packet: tcp.options[1].bytes must be a string, not a boolean", "tcp", list { number = 7, bytes = true })
    refused("mt.packet: tcp.options[1] must be a table, not a number", "tcp", list(3))
    refused("mt.packet: tcp.options[1]: only IPv6 has a header for its options", "tcp", list { number = 7, header = "x" })
    refused('mt.packet: tcp.options[1]: unknown key "bites" (did you mean "bytes"?)', "tcp", list { number = 7, bites = "" })
    refused('mt.packet: ipv6.options[1]: unknown header "routing" (it knows hop-by-hop, destination)', "ipv6",
      list { number = 7, header = "routing" })
    refused('mt.packet: tcp.options takes a list like { { name = "...", bytes = "..." } }, not a number', "tcp", { options = 3 })
    refused("tcp.mss = 70000 is out of range (0 to 65535)", "tcp", { mss = 70000 })
    refused("tcp.sack_permitted takes true or false, not 1", "tcp", { sack_permitted = 1 })
    refused("mt.packet: a header of this kind has no icmpv6.source_lla", "icmpv6", { type = 128, source_lla = "02:00:00:00:00:01" })
    assert.has_error(function() mt.packet { { "ip" }, { "udp", options = {} } } end, 'udp has no field "options"')
  end)
end)

describe("extension headers", function()
  it("are built in the order of RFC 8200, each announcing the next", function()
    local pkt <const> = built("ipv6", { frag_id = 7, mf = true, options = { { header = "destination", name = "tunnel-limit",
      bytes = "\4" }, { name = "router-alert", bytes = "\0\0" } } }, "12345678")
    assert.same({ { name = "router-alert", number = 5, bytes = "\0\0", header = "hop-by-hop" },
      { name = "tunnel-limit", number = 4, bytes = "\4", header = "destination" } }, pkt.ipv6:options())
    assert.same({ 0, 7, true, 0, 40 }, { pkt.ipv6.nxt, pkt.ipv6.frag_id, pkt.ipv6.mf, pkt.ipv6.frag_offset, pkt.ipv6.plen })
    assert.same({ "ipv6", "udp" }, pkt:layers())
    assert.equal("\44\0\5\2\0\0\1\0" .. "\60\0\0\1\0\0\0\7" .. "\17\0\4\1\4\1\1\0", pkt:bytes(41, 64))
  end)

  it("leave the checksum to what they carry", function()
    local options <const> = { { name = "router-alert", bytes = "\0\0" } }
    local plain <const> = mt.packet { { "ipv6" }, { "icmpv6", ident = 1 }, "x" }
    local pkt <const> = mt.packet { { "eth" }, { "ipv6", options = options }, { "icmpv6", ident = 1 }, "x" }
    assert.equal(plain.icmpv6.checksum, pkt.icmpv6.checksum)
    assert_right(pkt)
    local solicit <const> = mt.packet { { "ipv6", options = options }, { "icmpv6", type = 135, target = "2001:db8::a:b" } }
    assert.same({ 255, "ff02::1:ff0a:b" }, { solicit.ipv6.hlim, solicit.ipv6.dst })
    local none <const> = mt.packet { { "ipv6", options = options } }
    assert.same({ 0, 8, {} }, { none.ipv6.nxt, none.ipv6.plen, { none.payload ~= "" or nil } })
    assert.equal(59, none:bytes(41, 41):byte())
  end)

  it("carry fragments", function()
    local atomic <const> = mt.packet { { "ipv6", frag_id = 9 }, { "udp" }, "datagram" }
    assert.same({ 9, false, 0, 44 }, { atomic.ipv6.frag_id, atomic.ipv6.mf, atomic.ipv6.frag_offset, atomic.ipv6.nxt })
    assert_right(atomic)
    local later <const> = mt.packet { { "ipv6", frag_offset = 1400 }, ("x"):rep(24) }
    assert.same({ 1400, 44, ("x"):rep(24) }, { later.ipv6.frag_offset, later.ipv6.nxt, later.payload })
    assert.has_error(function() mt.packet { { "ipv6", frag_offset = 7 } } end,
      "ipv6.frag_offset = 7 is out of range (0 to 65528, in steps of its unit)")
  end)
end)

describe("DNS records", function()
  local function dns(given)
    return mt.packet { { "ip" }, { "udp" }, frames.with({ "dns" }, given) }
  end

  it("are asked for", function()
    local pkt <const> = dns { id = 7, questions = { { name = "example.org", type = "A" } } }
    assert.same({ { name = "example.org", type = "A", class = "IN" } }, pkt.dns:questions())
    assert.same({ 7, 1, 0, false, true }, { pkt.dns.id, pkt.dns.qdcount, pkt.dns.ancount, pkt.dns.qr, pkt.dns.rd })
    assert.equal("IP 192.0.2.1.49152 > 192.0.2.2.53: 7+ A? example.org. (29)", tostring(pkt))
    assert_right(pkt)
    assert.equal("A", dns({ questions = { { name = "x" } } }).dns:questions()[1].type)
  end)

  local ANSWERS <const> = {
    { name = "moon.example", type = "A", class = "IN", ttl = 300, data = "192.0.2.80" },
    { name = "", type = "NS", class = "IN", ttl = 0, data = "ns.example" },
    { name = "a\\046b.example", type = "AAAA", class = "CH", ttl = 2147483647, data = "2001:db8::1" },
    { name = "x", type = "CNAME", class = "IN", ttl = 1, data = "" },
    { name = "x", type = "MX", class = "IN", ttl = 1, data = "10 mail.example" },
    { name = "x", type = "TXT", class = "IN", ttl = 1, data = ("t"):rep(300) },
    { name = "x", type = 65280, class = 65280, ttl = 1, data = "\0\1\2" },
  }

  it("read as they were built", function()
    local questions <const> = { { name = "moon.example", type = "MX", class = "CH" }, { name = "", type = "NS", class = "IN" } }
    local pkt <const> = dns { questions = questions, answers = ANSWERS, aa = true }
    assert.same(questions, pkt.dns:questions())
    assert.same(ANSWERS, pkt.dns:answers())
    assert.same({ 2, 7, true, true }, { pkt.dns.qdcount, pkt.dns.ancount, pkt.dns.qr, pkt.dns.aa })
    assert_right(pkt)
    local again <const> = dns { questions = pkt.dns:questions(), answers = pkt.dns:answers(), aa = true }
    assert.equal(pkt:bytes(), again:bytes())
  end)

  it("answer the question unless told otherwise", function()
    local pkt <const> = dns { questions = { { name = "moon.example" } }, answers = { { data = "2001:db8::1" } } }
    assert.same({ { name = "moon.example", type = "AAAA", class = "IN", ttl = 60, data = "2001:db8::1" } }, pkt.dns:answers())
    local told <const> = dns { questions = { { name = "x" } }, answers = { { data = "192.0.2.1" } }, qr = false, ancount = 1,
      qtype = "AAAA" }
    assert.same({ false, 1, 28 }, { told.dns.qr, told.dns.ancount, told.dns.qtype })
  end)

  it("that cannot be are refused", function()
    local function refused(text, given)
      assert.has_error(function() dns(given) end, text)
    end
    refused("mt.packet: a question needs a name", { questions = { {} } })
    refused('mt.packet: "a..b" is no domain name', { questions = { { name = "a..b" } } })
    refused('mt.packet: a record of "192.0.2.1" needs a name', { answers = { { data = "192.0.2.1" } } })
    refused('mt.packet: a record of "x" needs a type', { answers = { { name = "x", data = "x" } } })
    refused("mt.packet: ttl = -1 is out of range (0 to 2147483647)", { answers = { { name = "x", data = "192.0.2.1", ttl = -1 } } })
    refused("mt.packet: data must be a string, not a nil", { answers = { { name = "x" } } })
    refused('mt.packet: dns.questions takes a list like { { name = "moon.example" } }, not a string', { questions = "x" })
    refused("dns.qname cannot be written", { qname = "x" })
    assert.error_matches(function() dns { questions = { { name = "x", type = "AAA" } } } end, 'did you mean "AAAA"?', 1, true)
    assert.error_matches(function() dns { answers = { { name = "x", type = "TXT", data = ("x"):rep(65300) } } } end, "too long")
  end)
end)
