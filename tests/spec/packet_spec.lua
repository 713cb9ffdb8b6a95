-- Packets as scripts see them: fields are read and written where they lie.
local mt <const> = require "moontap"
local wrong <const> = require("tests.spec.recorder").wrong

-- An echo request from 192.168.1.134 to 192.168.1.100, id 8499, seq 1, both checksums right.
local ECHO <const> = "\x45\x00\x00\x1c\x00\x01\x40\x00\x40\x01\xb6\xa5\xc0\xa8\x01\x86\xc0\xa8\x01\x64"
  .. "\x08\x00\xd6\xcb\x21\x33\x00\x01"

-- The one's complement sum of a string's 16-bit words: 0xffff where its checksum is right.
local function sum(bytes)
  local total = 0
  for i = 1, #bytes, 2 do
    total = total + (string.unpack(">I2", bytes, i))
  end
  while total > 0xffff do
    total = (total & 0xffff) + (total >> 16)
  end
  return total
end

local function echo()
  return mt.packet(ECHO, "ip")
end

describe("a packet", function()
  it("prints tcpdump's line", function()
    assert.equal("IP 192.168.1.134 > 192.168.1.100: ICMP echo request, id 8499, seq 1, length 8",
      tostring(echo()))
  end)

  it("has its fields as numbers, booleans and canonical addresses", function()
    local pkt <const> = echo()
    assert.equal("192.168.1.134", pkt.ip.src)
    assert.equal("192.168.1.100", pkt.ip.dst)
    assert.equal(64, pkt.ip.ttl)
    assert.is_true(pkt.ip.df)
    assert.is_false(pkt.ip.mf)
    assert.equal(20, pkt.ip.hdr_len)
    assert.equal(8, pkt.icmp.type)
    assert.equal(8499, pkt.icmp.ident)
    assert.equal(28, #pkt)
  end)

  it("has nil for a layer that is absent", function()
    assert.is_nil(echo().udp)
    assert.is_nil(echo().ipv6)
  end)

  it("keeps its checksums right when fields are written", function()
    local pkt <const> = echo()
    pkt.ip.src, pkt.ip.dst, pkt.ip.ttl = "203.0.113.7", "198.51.100.1", 1
    pkt.icmp.type, pkt.icmp.seq = 0, 65535
    assert.equal(0xffff, sum(pkt:bytes(1, 20)))
    assert.equal(0xffff, sum(pkt:bytes(21)))
  end)

  it("keeps a wrong checksum wrong", function()
    local _ <close> = wrong "a checksum by hand"
    local pkt <const> = echo()
    pkt.icmp.checksum = 0x1234
    pkt.icmp.seq = 77
    assert.is_true(sum(pkt:bytes(21)) ~= 0xffff)
  end)

  it("says the range of a field that is written out of it, and stays as it was", function()
    local pkt <const> = echo()
    assert.has_error(function() pkt.ip.ttl = 300 end, "ip.ttl = 300 is out of range (0 to 255)")
    assert.has_error(function() pkt.ip.src = "2001:db8::1" end,
      'ip.src takes an IPv4 address like "192.0.2.1", not 2001:db8::1')
    assert.has_error(function() pkt.ip.df = 1 end, "ip.df takes true or false, not 1")
    assert.equal(ECHO, pkt:bytes())
  end)

  it("says which field was meant", function()
    local pkt <const> = echo()
    assert.has_error(function() return pkt.ip.tll end, 'ip has no field "tll" (did you mean "ttl"?)')
    assert.has_error(function() return pkt.ipp end, 'a packet has no "ipp" (did you mean "ip"?)')
  end)

  it("gives and takes fields by name", function()
    local pkt <const> = echo()
    assert.equal(64, pkt:get "ip.ttl")
    assert.equal(7, pkt:set("ip.ttl", 7):get "ip.ttl")
    assert.is_nil(pkt:get "udp.srcport")
  end)

  it("shows its bytes in hexadecimal", function()
    assert.equal("0x0000:  4500 001c 0001 4000 4001 b6a5 c0a8 0186\n0x0010:  c0a8 0164 0800 d6cb 2133 0001",
      echo():hex())
  end)

  it("copies apart", function()
    local pkt <const> = echo()
    local copy <const> = pkt:copy()
    copy.ip.ttl = 9
    assert.equal(64, pkt.ip.ttl)
    assert.equal(9, copy.ip.ttl)
  end)

  it("says why it is malformed, and where", function()
    local pkt <const> = mt.packet(ECHO:sub(1, 10), "ip")
    assert.is_nil(pkt.ip)
    assert.equal("truncated at byte 0: the packet ends inside a header", pkt.malformed)
  end)

  it("says where an option or a record lies that parse does not look into", function()
    local function tampered(pkt, at, byte)
      return mt.packet(pkt:bytes(1, at) .. byte .. pkt:bytes(at + 2), "ip").malformed
    end
    local syn <const> = mt.packet { { "ip" }, { "tcp", mss = 1460, options = { { number = 254, bytes = "xx" } } } }
    assert.is_nil(syn.malformed)
    assert.equal("tcp_options at byte 44: a TCP option that does not fit its header", tampered(syn, 45, "\9"))
    assert.equal("tcp_options at byte 40: a TCP option that does not fit its header", tampered(syn, 41, "\0"))
    local alert <const> = mt.packet { { "ip", options = { { number = 30, bytes = "xx" } } }, { "udp" } }
    assert.matches("^options at byte 20: IPv4 options", tampered(alert, 21, "\9"))
    local two <const> = mt.packet { { "ip", options = { { number = 30, bytes = "xx" }, { number = 30 } } }, { "udp" } }
    assert.matches("^options at byte 24: IPv4 options", tampered(two, 25, "\9"))
    local nd <const> = mt.packet { { "ipv6" }, { "icmpv6", type = 135, source_lla = "02:00:00:00:00:07" } }
    assert.matches("^nd_options at byte 64: .*length 0", tampered(nd, 65, "\0"))
    assert.matches("^nd_options at byte 64", tampered(nd, 65, "\2"))
    local dhcp <const> = mt.packet { { "ip" }, { "udp" }, { "dhcp", message_type = 1, hostname = "moon" } }
    assert.is_nil(dhcp.malformed)
    assert.equal("dhcp_options at byte 268: a DHCP option that does not fit the message", tampered(dhcp, 269, "\255"))
    assert.is_truthy(mt.packet(dhcp:bytes(1, 269) .. "\255" .. dhcp:bytes(271), "ip"):tree()
      :find("malformed at byte 268: dhcp_options\n  a DHCP option that does not fit", 1, true))
  end)

  it("says where a DNS record lies", function()
    local question <const>, answer <const> = { name = "moon.example" }, { name = "tap.example", type = "CNAME", data = "a.b" }
    local pkt <const> = mt.packet { { "ip" }, { "udp" }, { "dns", questions = { question }, answers = { answer } } }
    local function malformed(bytes) return (mt.packet(bytes, "ip").malformed or ""):match "^dns_records at byte %d+" end
    assert.is_nil(pkt.malformed)
    local bytes <const> = pkt:bytes()
    -- The question starts at 40, the answer behind its 14 + 4 bytes, with its data at 81.
    assert.equal("dns_records at byte 40", malformed(bytes:sub(1, 40) .. "\xc0\x0c" .. bytes:sub(43)))
    assert.equal("dns_records at byte 58", malformed(bytes:sub(1, 58) .. "\x40" .. bytes:sub(60)))
    assert.equal("dns_records at byte 58", malformed(bytes:sub(1, 81) .. "\9" .. bytes:sub(83)))
    assert.equal("dns_records at byte 58", malformed(bytes:sub(1, 80) .. "\77" .. bytes:sub(82)))
    local more <const> = mt.packet { { "ip" }, { "udp" }, { "dns", questions = { question }, qdcount = 2 } }
    assert.matches("^dns_records at byte 58", more.malformed)
  end)

  it("turns into its own answer", function()
    local pkt <const> = echo():turn()
    assert.equal("IP 192.168.1.100 > 192.168.1.134: ICMP echo reply, id 8499, seq 1, length 8",
      tostring(pkt))
    assert.equal(0xffff, sum(pkt:bytes(21)))
  end)

  it("names its layers", function()
    assert.same({ "ip", "icmp" }, echo():layers())
  end)
end)

-- The same echo request inside VXLAN: UDP without a checksum, network 0x123456.
local function vxlan()
  local frame <const> = "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" .. ECHO
  local udp <const> = string.pack(">I2I2I2I2", 50000, 4789, 16 + #frame, 0) .. "\x08\0\0\0\x12\x34\x56\0" .. frame
  local addrs <const> = "\x0a\0\0\x01\x0a\0\0\x02"
  local words <const> = string.pack(">BBI2I4BB", 0x45, 0, 20 + #udp, 0, 64, 17)
  return mt.packet(words .. string.pack(">I2", ~sum(words .. addrs) & 0xffff) .. addrs .. udp, "ip")
end

describe("a packet in a tunnel", function()
  it("is pkt.inner", function()
    local pkt <const> = vxlan()
    assert.same({ "ip", "udp", "vxlan" }, pkt:layers())
    assert.equal(0x123456, pkt.vxlan.vni)
    assert.equal("10.0.0.1", pkt.ip.src)
    assert.equal("192.168.1.134", pkt.inner.ip.src)
    assert.same({ "eth", "ip", "icmp" }, pkt.inner:layers())
    assert.is_nil(pkt.inner.inner)
    assert.is_nil(echo().inner)
  end)

  it("has its fields by name", function()
    local pkt <const> = vxlan()
    assert.equal(8499, pkt:get "inner.icmp.ident")
    assert.is_nil(pkt:get "inner.inner.icmp.ident")
    assert.equal(7, pkt:set("inner.ip.ttl", 7).inner.ip.ttl)
    assert.has_error(function() echo():set("inner.ip.ttl", 7) end, "this packet has no inner ip")
    assert.has_error(function() echo():get(("inner."):rep(9) .. "ip.ttl") end)
  end)

  it("keeps the packet around it alive", function()
    local inner <const> = vxlan().inner
    collectgarbage()
    collectgarbage()
    assert.equal("192.168.1.134", inner.ip.src)
    assert.equal("192.168.1.134", inner:copy().ip.src)
  end)

  it("is lent no longer than the packet around it", function()
    local kept
    local near <const>, far <const> = mt.pair("ip")
    far:on(nil, function(pkt)
      kept = pkt.inner
      return "drop"
    end)
    near:send(vxlan())
    mt.sleep(0.05)
    assert.has_error(function() return kept.ip end, "packet used after its verdict; keep one with pkt:copy()")
    near:close()
    far:close()
  end)

  it("is edited by mt.set", function()
    local near <const>, far <const> = mt.pair("ip")
    local ttl
    far:on(nil, mt.set { ["inner.ip.ttl"] = 9, ["inner.inner.ip.ttl"] = 8 }, function(pkt)
      ttl = pkt.inner.ip.ttl
      return "drop"
    end)
    near:send(vxlan())
    mt.sleep(0.05)
    assert.equal(9, ttl)
    near:close()
    far:close()
  end)

  it("ends when the packet around it moves", function()
    local pkt <const> = vxlan()
    local inner <const> = pkt.inner
    pkt.payload = pkt.payload
    assert.has_error(function() return inner.ip end, "packet used after its verdict; keep one with pkt:copy()")
    assert.equal("192.168.1.134", pkt.inner.ip.src)
  end)

  it("has no room of its own for tags and tunnels", function()
    assert.has_error(function() vxlan().inner:push "vlan" end,
      "pkt:push: pkt.inner has no room of its own; edit a pkt.inner:copy()")
    assert.has_error(function() vxlan().inner:pop "vlan" end)
    local copy <const> = vxlan().inner:copy()
    copy.payload = "longer than it was"
    assert.equal(14 + 20 + 8 + 18, #copy)
  end)

  it("cannot be turned by itself", function()
    assert.has_error(function() vxlan().inner:turn() end, "pkt.inner:turn: turn the packet around it, or a copy")
  end)

  it("leaves the payload what follows the transport header", function()
    assert.equal(8 + 14 + #ECHO, #vxlan().payload)
  end)
end)

describe("a field with named numbers", function()
  it("reads as a number and takes its words", function()
    local pkt <const> = echo()
    pkt.icmp.type = "echo-reply"
    assert.equal(0, pkt.icmp.type)
    local _ <close> = wrong "TCP that is ICMP"
    pkt.ip.proto = "tcp"
    assert.equal(6, pkt.ip.proto)
  end)

  it("says which word was meant", function()
    assert.has_error(function() echo().icmp.type = "echo-requst" end,
      'icmp.type takes an integer or a word like "echo-reply", not "echo-requst" (did you mean "echo-request"?)')
    assert.has_error(function() echo().icmp.type = "pong" end,
      'icmp.type takes an integer or a word like "echo-reply", not pong')
  end)

  it("has ident and seq in every kind of ICMP query, not in errors", function()
    for _, type in ipairs { 0, 8, 13, 14, 15, 16, 17, 18 } do
      local pkt <const> = mt.packet(ECHO:sub(1, 20) .. string.char(type) .. ECHO:sub(22), "ip")
      assert.equal(8499, pkt.icmp.ident)
      assert.equal(1, pkt.icmp.seq)
    end
    local quench <const> = mt.packet(ECHO:sub(1, 20) .. "\4" .. ECHO:sub(22), "ip")
    assert.is_nil(quench.icmp.ident)
    assert.is_nil(quench.icmp.seq)
  end)
end)
