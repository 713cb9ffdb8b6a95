-- Where packets go next: mt.bridge, pass_to, and the ports that a verdict names.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")

local FRAME <const> = frames.eth(0x0800, frames.ip4({}, frames.icmp {}), { tags = "\x81\0\0\5" })
local BACK <const> = frames.eth(0x0806, frames.arp {})

describe("packets between ports", function()
  -- ends[i] is far from ports[i]: what ports[i] sends, got[i] keeps.
  local ports, ends, got

  before_each(function()
    ports, ends, got = {}, {}, {}
    for i = 1, 3 do
      ports[i], ends[i] = mt.pair("eth", "port" .. i, "end" .. i)
      got[i] = {}
      ends[i]:on(nil, function(pkt)
        got[i][#got[i] + 1] = pkt:bytes()
        return "handled"
      end)
    end
  end)

  after_each(function()
    for i = 1, 3 do
      local c <const> = ports[i].counters
      assert.equal(c.rx_packets, c.replied + c.rewritten + c.passed + c.dropped + c.handled)
      ports[i]:close()
      ends[i]:close()
    end
  end)

  -- From the end of port i, until everything has arrived.
  local function send(i, bytes)
    ends[i]:send(bytes)
    local function is_moving()
      for n = 1, 3 do
        if ports[n].counters.rx_packets < ends[n].counters.tx_packets then return true end
        if ends[n].counters.rx_packets < ports[n].counters.tx_packets then return true end
      end
    end
    local give_up <const> = mt.now() + 10
    while is_moving() do
      assert(mt.now() < give_up, "the packets do not arrive")
      mt.sleep(0.001)
    end
  end

  it("a bridge carries both ways, byte by byte, and is the default", function()
    mt.bridge(ports[1], ports[2])
    assert.same({ "pass", "pass" }, { ports[1].default, ports[2].default })
    assert.equal("port2", ports[1].next.name)
    assert.equal("port1", ports[2].next.name)
    send(1, FRAME)
    send(2, BACK)
    assert.same({ { BACK }, { FRAME }, {} }, got)
    assert.same({ 1, 1 }, { ports[1].counters.passed, ports[2].counters.passed })
  end)

  it("rules decide before the bridge does", function()
    mt.bridge(ports[1], ports[2])
    local rule <const> = ports[1]:on(function(pkt) return pkt.vlan and pkt.vlan.id == 5 end, "drop")
    send(1, FRAME)
    send(1, BACK)
    assert.same({ {}, { BACK }, {} }, got)
    assert.equal(1, rule.hits)
  end)

  it("pass without a next port is dropped, and says so", function()
    ports[1]:on(nil, "pass")
    send(1, FRAME)
    assert.equal(1, ports[1].counters.drops.no_next)
    assert.is_nil(ports[1].next)
  end)

  it("pass and rewrite go to the next port; rewrite without one goes back", function()
    ports[1]:pass_to(ports[2]):on("arp", "rewrite")
    ports[1]:on(nil, "pass")
    send(1, BACK)
    send(1, FRAME)
    assert.same({ {}, { BACK, FRAME }, {} }, got)
    ports[1]:pass_to(nil)
    send(1, BACK)
    assert.same({ { BACK }, { BACK, FRAME }, {} }, got)
  end)

  it("a verdict may name a port", function()
    ports[1]:pass_to(ports[2])
    ports[1]:on(nil, function(pkt) return pkt.arp and "rewrite" or "pass", ports[3] end)
    send(1, FRAME)
    send(1, BACK)
    assert.same({ {}, {}, { FRAME, BACK } }, got)
    assert.same({ 1, 1 }, { ports[1].counters.passed, ports[1].counters.rewritten })
  end)

  it("a verdict may name a list of ports: each gets the packet, and it is counted once", function()
    ports[1]:on("arp", function(pkt)
      pkt.arp.opcode = 2
      return "rewrite", { ports[2], ports[3], ports[1] }
    end)
    ports[1]:on(nil, function() return "pass", { ports[2], ports[3] } end)
    send(1, FRAME)
    assert.same({ {}, { FRAME }, { FRAME } }, got)
    send(1, BACK)
    local edited <const> = frames.eth(0x0806, frames.arp { opcode = 2 })
    assert.same({ { edited }, { FRAME, edited }, { FRAME, edited } }, got)
    assert.same({ 1, 1, 2 }, { ports[1].counters.passed, ports[1].counters.rewritten, ports[1].counters.rx_packets })
  end)

  it("a verdict that names what is no open port of that kind costs the packet", function()
    local ip_left <const>, ip_right <const> = mt.pair("ip", "ip left", "ip right")
    local closed <const>, closed_end <const> = mt.pair("eth", "closed", "closed end")
    closed:close()
    closed_end:close()
    local wrong <const> = { 42, "port2", {}, { 42 }, { ports[2], ip_left }, ip_left, closed, false }
    local n = 0
    ports[1]:on(nil, function()
      n = n + 1
      return "pass", wrong[n]
    end)
    for _ = 1, #wrong do send(1, FRAME) end
    assert.equal(#wrong, ports[1].counters.script_errors)
    assert.equal(#wrong, ports[1].counters.drops.script_error)
    assert.same({ {}, {}, {} }, got)
    ip_left:close()
    ip_right:close()
  end)

  it("only pass and rewrite take a port", function()
    for i, word in ipairs { "drop", "reply", "handled" } do
      local rule <const> = ports[1]:on(nil, function() return word, ports[2] end)
      send(1, FRAME)
      assert.equal(i, ports[1].counters.script_errors)
      rule:remove()
    end
  end)

  it("a next port that is closed is none", function()
    ports[1]:pass_to(ports[2])
    ports[1].default = "pass"
    ports[2]:close()
    send(1, FRAME)
    assert.equal(1, ports[1].counters.drops.no_next)
    ends[2]:close() -- a port left open would keep the run from ending
    ports[2], ends[2] = mt.pair("eth", "port2", "end2")
  end)

  it("packets with and without Ethernet headers are not joined", function()
    local ip_left <const>, ip_right <const> = mt.pair("ip", "ip left", "ip right")
    local function carries(one, other)
      return ("%s packets and %%S+ ?%%S* carries %s packets: they cannot be joined"):format(one, other)
    end
    assert.error_matches(function() mt.bridge(ports[1], ip_left) end, carries("eth", "ip"))
    assert.error_matches(function() ip_left:pass_to(ports[1]) end, carries("ip", "eth"))
    assert.error_matches(function() mt.bridge(ports[1]) end, "port")
    assert.error_matches(function() ports[1]:pass_to "port2" end, "port")
    assert.error_matches(function() ip_left:send(mt.packet(FRAME, "eth")) end, "carries ip packets, this is an eth packet")
    assert.equal("drop", ports[1].default)
    assert.is_nil(ports[1].next)
    ip_left:close()
    ip_right:close()
  end)

  it("frames have their tags as layers", function()
    local tagged <const> = frames.eth(0x86dd, frames.ip6({}, frames.icmp6 {}), { tags = "\x88\xa8\x70\7\x81\0\x0f\xfe" })
    local seen
    ports[1]:pass_to(ports[2]):on(nil, function(pkt)
      seen = { pkt.eth.src, pkt.eth.dst, pkt.eth.type, pkt.vlan.id, pkt.vlan.priority, pkt.vlan.dei, pkt.vlan.etype,
        pkt.vlan2.id, pkt.vlan2.priority, pkt.vlan2.etype, table.concat(pkt:layers(), " ") }
      pkt.vlan.id, pkt.vlan2.id, pkt.vlan2.dei = 4095, 0, true
      pkt.eth.dst = "02:00:00:00:00:77"
      return "pass"
    end)
    send(1, tagged)
    assert.same({ "02:00:00:00:00:01", "02:00:00:00:00:02", 0x88a8, 7, 3, true, 0x8100, 4094, 0, 0x86dd,
      "eth vlan vlan2 ipv6 icmpv6" }, seen)
    assert.equal(frames.hex("\2\0\0\0\0\x77\2\0\0\0\0\1\x88\xa8\x7f\xff\x81\0\x10\0\x86\xdd"),
      frames.hex(got[2][1]:sub(1, 22)))
    assert.equal(tagged:sub(23), got[2][1]:sub(23))
  end)

  it("ARP has its fields", function()
    local arp
    ports[1]:on("arp", function(pkt)
      arp = { pkt.arp.opcode, pkt.arp.src_mac, pkt.arp.src_ip, pkt.arp.dst_mac, pkt.arp.dst_ip, pkt.vlan, pkt.ip }
      return "handled"
    end)
    send(1, BACK)
    assert.same({ 1, "02:00:00:00:00:01", "192.0.2.1", "00:00:00:00:00:00", "192.0.2.100" }, arp)
  end)
end)
