-- mt.set: writes constants into fields, and what covers them follows.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local wrong <const> = require("tests.spec.recorder").wrong
local ip4 <const>, ip6 <const>, eth <const> = frames.ip4, frames.ip6, frames.eth

local function udp4(t) return ip4({ proto = 17 }, frames.udp(t or {})) end
local function tcp6(t) return ip6({ nxt = 6 }, frames.tcp(frames.with(t, { is_6 = true }))) end
local TAGS <const> = "\x88\xa8\x60\7\x81\0\0\5"

describe("mt.set", function()
  -- `bytes` after mt.set(edits), as a packet.
  local function edited(first, bytes, ...)
    local near <const>, far <const> = mt.pair(first, "near", "far")
    local got
    near:on(nil, function(pkt)
      got = pkt:copy()
      return "handled"
    end)
    local actions <const> = {}
    for i, edits in ipairs { ... } do actions[i] = mt.set(edits) end
    actions[#actions + 1] = "rewrite"
    far:on(nil, table.unpack(actions))
    near:send(bytes)
    local give_up <const> = mt.now() + 10
    while not got do
      assert(mt.now() < give_up, "the packet does not come back")
      mt.sleep(0.001)
    end
    assert.equal(1, far.counters.rewritten)
    assert.equal(1, far.counters.rx_packets)
    near:close()
    far:close()
    return got
  end

  local function assert_field(first, bytes, name, value)
    local pkt <const> = edited(first, bytes, { [name] = value })
    assert.equal(value, pkt:get(name))
    assert.equal(#bytes, #pkt)
    if first == "ip" then assert.is_true(frames.verifies(pkt:bytes()), name .. " leaves a wrong checksum") end
    return pkt
  end

  it("writes every kind of field, and keeps the checksums right", function()
    for name, value in pairs { ["ip.ttl"] = 42, ["ip.id"] = 0xffff, ["ip.dscp"] = 46, ["ip.df"] = true,
      ["ip.src"] = "203.0.113.9", ["ip.dst"] = "255.255.255.255", ["udp.srcport"] = 65535, ["udp.dstport"] = 0 } do
      assert_field("ip", udp4(), name, value)
      assert_field("ip", udp4 { data = "odd" }, name, value)
    end
    for name, value in pairs { ["ipv6.hlim"] = 0, ["ipv6.flow"] = 0xfffff, ["ipv6.tclass"] = 255, ["ipv6.src"] = "fe80::1",
      ["ipv6.dst"] = "ff02::1", ["tcp.srcport"] = 1, ["tcp.seq"] = 0xffffffff, ["tcp.ack"] = 1, ["tcp.window"] = 0,
      ["tcp.syn"] = false, ["tcp.rst"] = true } do
      assert_field("ip", tcp6(), name, value)
    end
    for name, value in pairs { ["icmp.ident"] = 0, ["icmp.seq"] = 65535, ["icmp.type"] = 0, ["icmp.code"] = 9 } do
      assert_field("ip", ip4({}, frames.icmp {}), name, value)
    end
    for name, value in pairs { ["icmpv6.ident"] = 0, ["icmpv6.seq"] = 65535, ["icmpv6.type"] = 129 } do
      assert_field("ip", ip6({}, frames.icmp6 {}), name, value)
    end
  end)

  it("writes what lies between the frame and the datagram", function()
    local frame <const> = eth(0x0800, udp4(), { tags = TAGS })
    for name, value in pairs { ["eth.src"] = "02:00:00:00:00:77", ["eth.dst"] = "ff:ff:ff:ff:ff:ff",
      ["vlan.id"] = 4095, ["vlan.priority"] = 7, ["vlan.dei"] = true } do
      assert_field("eth", frame, name, value)
    end
    local arp <const> = eth(0x0806, frames.arp {})
    for name, value in pairs { ["arp.opcode"] = 2, ["arp.src_mac"] = "02:00:00:00:00:77", ["arp.src_ip"] = "192.0.2.9",
      ["arp.dst_mac"] = "02:00:00:00:00:78", ["arp.dst_ip"] = "192.0.2.10" } do
      assert_field("eth", arp, name, value)
    end
  end)

  it("tells the outer tag from the inner", function()
    local frame <const> = eth(0x0800, udp4(), { tags = TAGS })
    local pkt <const> = edited("eth", frame, { ["vlan2.id"] = 99 })
    assert.equal(7, pkt.vlan.id)
    assert.equal(99, pkt.vlan2.id)
    assert.equal(99, pkt:get "vlan2.id")
    local single <const> = eth(0x0800, udp4(), { tags = "\x81\0\0\5" })
    assert.equal(frames.hex(single), frames.hex(edited("eth", single, { ["vlan2.id"] = 99 }):bytes()))
  end)

  it("skips layers and fields that are absent", function()
    local bytes <const> = udp4()
    assert.equal(bytes, edited("ip", bytes, { ["tcp.seq"] = 1, ["ipv6.hlim"] = 1, ["icmp.seq"] = 1, ["vlan.id"] = 1 }):bytes())
    local unreachable <const> = ip4({}, frames.icmp { type = 3, data = udp4() })
    assert.equal(unreachable, edited("ip", unreachable, { ["icmp.seq"] = 1 }):bytes())
    assert.equal(9, edited("ip", bytes, { ["tcp.seq"] = 1, ["ip.ttl"] = 9 }).ip.ttl)
  end)

  it("goes on to the next action, the last edit holds", function()
    local pkt <const> = edited("ip", udp4(), { ["ip.ttl"] = 1 }, { ["ip.ttl"] = 2, ["udp.dstport"] = 5354 })
    assert.same({ 2, 5354 }, { pkt.ip.ttl, pkt.udp.dstport })
    assert.is_true(frames.verifies(pkt:bytes()))
  end)

  it("copies other fields, all of them as they were before", function()
    local swap <const> = { ["ip.src"] = mt.field "ip.dst", ["ip.dst"] = mt.field "ip.src",
      ["udp.srcport"] = mt.field "udp.dstport", ["udp.dstport"] = mt.field "udp.srcport" }
    local pkt <const> = edited("ip", udp4 { srcport = 1024, dstport = 54 }, swap)
    assert.same({ "192.0.2.100", "192.0.2.1", 54, 1024 }, { pkt.ip.src, pkt.ip.dst, pkt.udp.srcport, pkt.udp.dstport })
    assert.is_true(frames.verifies(pkt:bytes()))
    local six <const> = edited("ip", tcp6(), { ["ipv6.src"] = mt.field "ipv6.dst", ["ipv6.dst"] = mt.field "ipv6.src",
      ["tcp.seq"] = mt.field "tcp.srcport", ["tcp.psh"] = mt.field "tcp.syn" })
    assert.same({ "2001:db8::100", "2001:db8::1", 1024, true }, { six.ipv6.src, six.ipv6.dst, six.tcp.seq, six.tcp.psh })
    assert.is_true(frames.verifies(six:bytes()))
    local frame <const> = edited("eth", eth(0x0800, udp4()), { ["eth.src"] = mt.field "eth.dst", ["eth.dst"] = mt.field "eth.src" })
    assert.same({ "02:00:00:00:00:02", "02:00:00:00:00:01" }, { frame.eth.src, frame.eth.dst })
    assert.equal(64, edited("ip", udp4(), { ["ip.id"] = mt.field "ip.ttl" }).ip.id)
  end)

  it("skips a copy of what is not there", function()
    local pkt <const> = edited("ip", udp4 { srcport = 1024 }, { ["udp.srcport"] = mt.field "tcp.srcport", ["ip.ttl"] = 9 })
    assert.same({ 1024, 9 }, { pkt.udp.srcport, pkt.ip.ttl })
  end)

  it("writes words, and into tunnels", function()
    assert.equal(0, edited("ip", ip4({}, frames.icmp {}), { ["icmp.type"] = "echo-reply" }).icmp.type)
    local tunnel <const> = ip4({ proto = 4, src = frames.addr4 "198.51.100.1" }, udp4())
    local pkt <const> = edited("ip", tunnel,
      { ["inner.ip.src"] = mt.field "ip.src", ["inner.udp.dstport"] = 5354, ["ip.ttl"] = mt.field "inner.ip.ttl" })
    assert.same({ "198.51.100.1", 5354, 64 }, { pkt.inner.ip.src, pkt.inner.udp.dstport, pkt.ip.ttl })
    local bytes <const> = pkt:bytes()
    assert.is_true(frames.verifies(bytes:sub(21)))
    assert.equal(0xffff, frames.sum(bytes:sub(1, 20)))
  end)

  it("refuses a copy that may not fit", function()
    assert.has_error(function() mt.set { ["ip.ttl"] = mt.field "ip.id" } end,
      'ip.ttl = mt.field "ip.id": not every value of the one fits into the other')
    assert.error_matches(function() mt.set { ["ip.src"] = mt.field "ipv6.src" } end, "not every value", 1, true)
    assert.error_matches(function() mt.set { ["ip.src"] = mt.field "tcp.seq" } end, "not every value", 1, true)
    assert.error_matches(function() mt.set { ["ip.df"] = mt.field "ip.ttl" } end, "not every value", 1, true)
    assert.error_matches(function() mt.set { ["ip.frag_offset"] = mt.field "ip.ttl" } end, "not every value", 1, true)
    assert.has_error(function() mt.set { ["ip.version"] = mt.field "ip.ttl" } end, "ip.version cannot be written")
    assert.error_matches(function() mt.set { ["ip.ttl"] = mt.range(1, 2) } end, "ip%.ttl takes an integer")
  end)

  it("keeps a wrong checksum wrong", function()
    local _ <close> = wrong "checksums by hand"
    assert.is_false(frames.verifies(edited("ip", udp4 { checksum_l4 = 0x1234 }, { ["ip.src"] = "203.0.113.9" }):bytes()))
    assert.is_false(frames.verifies(edited("ip", ip4({ flip = 1, proto = 17 }, frames.udp {}), { ["ip.ttl"] = 9 }):bytes()))
  end)

  it("leaves a UDP datagram without checksum without, and sends a computed 0 as ffff (RFC 768)", function()
    assert.equal(0, edited("ip", udp4 { checksum_l4 = 0 }, { ["ip.src"] = "203.0.113.9", ["udp.dstport"] = 1 }).udp.checksum)
    -- One port is chosen so that the sum of all but the checksum is ffff.
    local with_port_0 <const> = frames.udp { srcport = 0 }
    local checksum_0 <const> = string.unpack(">I2", with_port_0, 7)
    local pkt <const> = edited("ip", udp4 { srcport = 1 }, { ["udp.srcport"] = checksum_0 })
    assert.equal(0xffff, pkt.udp.checksum)
    assert.is_true(frames.verifies(pkt:bytes()))
  end)

  it("leaves a checksum as it writes it", function()
    local _ <close> = wrong "checksums by hand"
    assert.equal(0xbeef, edited("ip", udp4(), { ["udp.checksum"] = 0xbeef }).udp.checksum)
    assert.equal(0xbeef, edited("ip", udp4(), { ["ip.checksum"] = 0xbeef }).ip.checksum)
  end)

  it("leaves it so whatever else it writes, in whatever order the table is walked", function()
    local _ <close> = wrong "checksums by hand"
    for i = 1, 20 do
      local edits <const> = { ["ip.checksum"] = 0xbeef, ["udp.checksum"] = 0xcafe }
      for _, name in ipairs { "ip.ttl", "ip.id", "udp.srcport", "udp.dstport" } do edits[name] = i end
      local pkt <const> = edited("ip", udp4(), edits)
      assert.same({ 0xbeef, 0xcafe }, { pkt.ip.checksum, pkt.udp.checksum })
    end
  end)

  it("refuses what is no field, or no value of it", function()
    assert.has_error(function() mt.set { ["ip.tll"] = 1 } end, 'ip has no field "tll" (did you mean "ttl"?)')
    assert.has_error(function() mt.set { ttl = 1 } end, '"ttl" is no field: write layer.field, like "ip.ttl"')
    assert.error_matches(function() mt.set { ["ipx.ttl"] = 1 } end, '"ipx.ttl" is no field', 1, true)
    assert.has_error(function() mt.set { ["ip.ttl"] = 256 } end, "ip.ttl = 256 is out of range (0 to 255)")
    assert.error_matches(function() mt.set { ["ip.ttl"] = -1 } end, "out of range")
    assert.error_matches(function() mt.set { ["ip.ttl"] = "64" } end, "ip%.ttl takes")
    assert.error_matches(function() mt.set { ["ip.src"] = "::1" } end, "ip%.src takes an IPv4 address")
    assert.error_matches(function() mt.set { ["ip.df"] = 1 } end, "ip%.df takes true or false")
    assert.error_matches(function() mt.set { ["eth.src"] = "02:00" } end, "eth%.src takes")
    assert.error_matches(function() mt.set { ["ip.version"] = 6 } end, "ip%.version cannot be written")
    assert.error_matches(function() mt.set { ["ip.frag_offset"] = 7 } end, "out of range")
    assert.error_matches(function() mt.set() end, "table")
    assert.error_matches(function() mt.set { 64 } end, "no field")
  end)

  it("makes reply an error where it wrote an address", function()
    local near <const>, far <const> = mt.pair("ip", "near", "far")
    far:on(nil, mt.set { ["ip.src"] = "203.0.113.9" }, "reply")
    near:send(ip4({}, frames.icmp {}))
    mt.sleep(0.02)
    assert.equal(1, far.counters.dropped)
    assert.equal(0, far.counters.replied)
    near:close()
    far:close()
  end)
end)
