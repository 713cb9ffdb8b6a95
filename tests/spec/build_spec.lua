-- mt.packet{...}: what is not given is right, what is given stays as given.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local wrong <const> = require("tests.spec.recorder").wrong

-- The datagram of a packet whose lengths and checksums a script did not touch.
local function assert_right(pkt)
  assert.is_nil(pkt.malformed)
  local datagram <const> = pkt.eth and frames.inside(pkt:bytes()) or pkt:bytes()
  assert.is_true(frames.verifies(datagram), frames.hex(datagram))
  if pkt.ip then
    assert.equal(#datagram, pkt.ip.len)
  else
    assert.equal(#datagram - 40, pkt.ipv6.plen)
  end
  if pkt.udp then assert.equal(8 + #pkt.payload, pkt.udp.length) end
end

describe("mt.packet{...}", function()
  it("builds what it is told, the rest right", function()
    local pkt <const> = mt.packet { { "ip", src = "192.0.2.7", dst = "192.0.2.1" },
      { "icmp", type = 8, ident = 8499, seq = 7 }, "hostile!" }
    assert.equal("IP 192.0.2.7 > 192.0.2.1: ICMP echo request, id 8499, seq 7, length 16", tostring(pkt))
    assert.equal("hostile!", pkt.payload)
    assert_right(pkt)
  end)

  it("builds byte for byte what is built by hand", function()
    assert.equal(frames.hex(frames.ip4({ frag = 0x4000, proto = 17 }, frames.udp { data = "datagram" })),
      frames.hex(mt.packet({ { "ip", id = 0x1234, src = "192.0.2.1", dst = "192.0.2.100" },
        { "udp", srcport = 1024, dstport = 9 }, "datagram" }):bytes()))
    assert.equal(frames.hex(frames.eth(0x86dd, frames.ip6({}, frames.icmp6 {}))),
      frames.hex(mt.packet({ { "eth", dst = "02:00:00:00:00:02", src = "02:00:00:00:00:01" },
        { "ipv6", src = "2001:db8::1", dst = "2001:db8::100" }, { "icmpv6", ident = 0x2133, seq = 7 },
        "hostile!" }):bytes()))
    assert.equal(frames.hex(frames.eth(0x0806, frames.arp {}, { to = ("\xff"):rep(6) })),
      frames.hex(mt.packet({ { "eth", src = "02:00:00:00:00:01" },
        { "arp", src_ip = "192.0.2.1", dst_ip = "192.0.2.100" } }):bytes()))
  end)

  it("has defaults for every layer, of hosts that may be answered", function()
    for _, network in ipairs { "ip", "ipv6" } do
      for _, transport in ipairs { network == "ip" and "icmp" or "icmpv6", "udp", "tcp" } do
        local pkt <const> = mt.packet { { network }, { transport } }
        assert_right(pkt)
        assert.same({ network, transport }, pkt:layers())
        assert.equal(64, pkt.ip and pkt.ip.ttl or pkt.ipv6.hlim)
        pkt:turn()
        local framed <const> = mt.packet { { "eth" }, { "vlan", id = 5 }, { "vlan", id = 6 }, { network }, { transport },
          "x" }
        assert_right(framed)
        assert.same({ "eth", "vlan", "vlan2", network, transport }, framed:layers())
        assert.same({ 0x88a8, 0x8100, 5, 6 }, { framed.eth.type, framed.vlan.etype, framed.vlan.id, framed.vlan2.id })
      end
    end
    local pkt <const> = mt.packet { { "ip" }, { "tcp" } }
    assert.same({ true, false, 20, 65535 }, { pkt.tcp.syn, pkt.tcp.fin, pkt.tcp.hdr_len, pkt.tcp.window })
    assert.is_false(mt.packet({ { "ip" }, { "tcp", ack_flag = true } }).tcp.syn)
    assert.same({ true, 0 }, { pkt.ip.df, pkt.ip.id })
    assert.is_false(mt.packet({ { "ip", mf = true }, "fragment" }).ip.df)
  end)

  it("numbers what follows, and says when nothing known does", function()
    local bare <const> = mt.packet { { "eth" }, { "ip" }, "?" }
    assert.same({ 0x0800, 253 }, { bare.eth.type, bare.ip.proto })
    assert.equal(59, mt.packet({ { "ipv6" } }).ipv6.nxt)
    assert.equal(0x88b5, mt.packet({ { "eth" }, "?" }).eth.type)
    assert.equal(0x86dd, mt.packet({ { "eth" }, { "vlan" }, { "ipv6" } }).vlan.etype)
  end)

  it("leaves what is given as it is given, right or not", function()
    local _ <close> = wrong "lengths and checksums by hand"
    local pkt <const> = mt.packet { { "eth", type = 0x0800, dst = "02:00:00:00:00:02" },
      { "ip", checksum = 0xbeef, len = 30, id = 9, proto = 17, df = false }, { "udp", length = 9, checksum = 0xcafe },
      "datagram" }
    assert.same({ 0xbeef, 30, 9, false }, { pkt.ip.checksum, pkt.ip.len, pkt.ip.id, pkt.ip.df })
    assert.same({ 9, 0xcafe, "02:00:00:00:00:02" }, { pkt.udp.length, pkt.udp.checksum, pkt.eth.dst })
    local short <const> = mt.packet { { "ip" }, { "udp", length = 7 }, "datagram" }
    assert.matches("udp_length", short.malformed)
    local echo <const> = mt.packet { { "ip" }, { "icmp", checksum = 1, ident = 2, seq = 3 } }
    assert.same({ 1, 2, 3 }, { echo.icmp.checksum, echo.icmp.ident, echo.icmp.seq })
  end)

  it("sends a computed UDP checksum of 0 as ffff (RFC 768), and none where 0 is given", function()
    local zero <const> = mt.packet { { "ip" }, { "udp", srcport = 0 } }
    assert.equal(0xffff, mt.packet({ { "ip" }, { "udp", srcport = zero.udp.checksum } }).udp.checksum)
    assert.equal(0, mt.packet({ { "ip" }, { "udp", checksum = 0 } }).udp.checksum)
  end)

  it("goes on inside tunnels", function()
    local pkt <const> = mt.packet { { "eth" }, { "ip" }, { "udp" }, { "vxlan", vni = 5 }, { "eth" }, { "vlan", id = 7 },
      { "ipv6" }, { "icmpv6", seq = 9 }, "payload" }
    assert_right(pkt)
    assert.same({ "eth", "ip", "udp", "vxlan" }, pkt:layers())
    assert.same({ 4789, 5 }, { pkt.udp.dstport, pkt.vxlan.vni })
    assert.same({ "eth", "vlan", "ipv6", "icmpv6" }, pkt.inner:layers())
    assert.equal(9, pkt.inner.icmpv6.seq)
    assert_right(pkt.inner)
    local gre <const> = mt.packet { { "ip" }, { "gre", key = 0xcafebabe, seq = 2 }, { "ipv6" }, { "gre" }, { "eth" },
      { "ip" }, { "tcp" } }
    assert.same({ 0xcafebabe, 2, 0x86dd, 47 }, { gre.gre.key, gre.gre.seq, gre.gre.proto, gre.ip.proto })
    assert.equal(0x6558, gre.inner.gre.proto)
    assert.is_nil(gre.inner.gre.key)
    assert_right(gre.inner.inner)
    for _, outer in ipairs { "ip", "ipv6" } do
      for _, inner in ipairs { "ip", "ipv6" } do
        local ipip <const> = mt.packet { { outer }, { inner, src = inner == "ip" and "198.51.100.1" or nil }, { "udp" }, "x" }
        assert.same({ inner, "udp" }, ipip.inner:layers())
        assert_right(ipip.inner)
      end
    end
  end)

  it("builds SCTP with its CRC32c, and what UDP's ports announce", function()
    -- The CRC of RFC 3720 B.4's kind, by the definition: bit by bit.
    local function crc(bytes)
      local sum = 0xffffffff
      for i = 1, #bytes do
        sum = sum ~ bytes:byte(i)
        for _ = 1, 8 do sum = sum >> 1 ~ (sum & 1) * 0x82f63b78 end
      end
      return string.unpack(">I4", string.pack("<I4", sum ~ 0xffffffff))
    end
    local pkt = mt.packet { { "ip" }, { "sctp", dstport = 80, vtag = 0xdeadbeef }, "\4\0\0\12\0\1\0\8beat" }
    local function assert_crc()
      local bytes <const> = pkt:bytes(21)
      assert.equal(crc(bytes:sub(1, 8) .. "\0\0\0\0" .. bytes:sub(13)), pkt.sctp.checksum)
    end
    assert_crc()
    pkt.sctp.srcport, pkt.sctp.vtag = 7, 7
    assert_crc()
    pkt.payload = "\4\0\0\8\0\1\0\4"
    assert_crc()
    pkt = mt.packet({ { "ip" }, { "sctp" }, "\4\0\0\12\0\1\0\8beat" }):turn()
    assert.equal(49152, pkt.sctp.dstport)
    assert_crc()
    assert.same({ 53, 7 }, (function(dns) return { dns.udp.dstport, dns.dns.id } end)(
      mt.packet { { "ip" }, { "udp" }, { "dns", id = 7 } }))
    local dhcp <const> = mt.packet { { "ip" }, { "udp" }, { "dhcp", xid = 7 }, "\53\1\1\255" }
    assert.same({ 68, 67, 7, "00:00:5e:00:53:01" }, { dhcp.udp.srcport, dhcp.udp.dstport, dhcp.dhcp.xid, dhcp.dhcp.chaddr })
  end)

  it("sends groups to the MAC address of the group", function()
    local function mac(network, dst)
      return mt.packet({ { "eth" }, { network, dst = dst } }).eth.dst
    end
    assert.equal("01:00:5e:01:02:03", mac("ip", "239.129.2.3"))
    assert.equal("ff:ff:ff:ff:ff:ff", mac("ip", "255.255.255.255"))
    assert.equal("33:33:00:00:00:01", mac("ipv6", "ff02::1"))
    assert.equal("00:00:5e:00:53:02", mac("ip", "192.0.2.9"))
    assert.equal("02:00:00:00:00:09",
      mt.packet({ { "eth", dst = "02:00:00:00:00:09" }, { "ip", dst = "239.1.2.3" } }).eth.dst)
  end)

  it("builds neighbour discovery whole", function()
    local pkt <const> = mt.packet { { "eth" }, { "ipv6" }, { "icmpv6", type = 135, target = "2001:db8::a:b" } }
    assert_right(pkt)
    assert.same({ "ff02::1:ff0a:b", 255, "33:33:ff:0a:00:0b", 24 },
      { pkt.ipv6.dst, pkt.ipv6.hlim, pkt.eth.dst, pkt.ipv6.plen })
    assert.equal("2001:db8::a:b", pkt.icmpv6.target)
  end)

  it("is sent like any other", function()
    local near <const>, far <const> = mt.pair "eth"
    local got
    far:on(nil, function(pkt)
      got = pkt:copy()
      return "drop"
    end)
    local pkt <const> = mt.packet { { "eth" }, { "vlan", id = 5 }, { "ip" }, { "udp" }, "datagram" }
    near:send(pkt)
    local give_up <const> = mt.now() + 10
    while not got and mt.now() < give_up do mt.sleep(0.001) end
    assert.equal(pkt:bytes(), got:bytes())
    near:close()
    far:close()
  end)

  it("copies with room to be edited", function()
    local pkt <const> = mt.packet({ { "ip" }, { "udp" }, "datagram" }):copy()
    pkt.ip.ttl, pkt.udp.dstport = 9, 5354
    assert_right(pkt)
  end)

  it("refuses what cannot be, with what can", function()
    local function refused(text, ...)
      local list <const> = { ... }
      assert.has_error(function() mt.packet(list) end, text)
    end
    refused("mt.packet: icmp cannot follow ipv6 (ip, ipv6, icmpv6, udp, tcp, sctp, gre can)", { "ipv6" }, { "icmp" })
    refused("mt.packet: ip cannot follow tcp (only a payload can)", { "ip" }, { "tcp" }, { "ip" })
    refused("mt.packet: udp cannot come first (eth, ip, ipv6 can)", { "udp" })
    refused('mt.packet: there is no layer "ipp" (did you mean "ip"?)', { "ipp" })
    refused('ip has no field "tll" (did you mean "ttl"?)', { "ip", tll = 1 })
    refused("ip.ttl = 300 is out of range (0 to 255)", { "ip", ttl = 300 })
    refused("ip.version cannot be written", { "ip", version = 6 })
    refused("mt.packet: a header of this kind has no icmp.ident", { "ip" }, { "icmp", type = 3, ident = 1 })
    refused('mt.packet: element 1 is a string: the payload comes last, a layer is a table like {"ip"}', "ip", { "udp" })
    refused('mt.packet: element 2 must be a layer like {"ip"}, not a boolean', { "ip" }, true)
    refused('mt.packet: layer 1 must start with its name, like {"ip"}, not with a nil', { ttl = 1 })
    refused("mt.packet: layer 1 (ip) has a value without a field's name", { "ip", "udp" })
    refused('mt.packet: needs at least one layer, like {"ip"}', "payload")
    refused('mt.packet: needs at least one layer, like {"ip"}')
    refused("mt.packet: too long: udp.length = 65540 is out of range (0 to 65535)", { "ip" }, { "udp" },
      ("x"):rep(65532))
    refused("mt.packet: too long: ip.len = 65536 is out of range (0 to 65535)", { "ip" }, ("x"):rep(65516))
    refused("mt.packet: 66020 bytes are too many (at most 65599)", { "ip" }, ("x"):rep(66000))
    local layers <const> = { { "eth" } }
    for i = 2, 17 do layers[i] = { "vlan" } end
    refused("mt.packet: at most 16 layers", table.unpack(layers))
  end)
end)
