-- pkt.payload = ..., pkt:push and pkt:pop: bytes move, lengths and checksums follow.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local wrong <const> = require("tests.spec.recorder").wrong

local function datagram_of(pkt)
  return pkt.eth and frames.inside(pkt:bytes()) or pkt:bytes()
end

-- Lengths as long as the packet, and both checksums right (or not).
local function assert_right(pkt, is_wrong)
  local datagram <const> = datagram_of(pkt)
  assert.is_nil(pkt.malformed)
  assert.equal(not is_wrong, frames.verifies(datagram), frames.hex(datagram:sub(1, 80)))
  assert.equal(#datagram, pkt.ip and pkt.ip.len or pkt.ipv6.plen + 40)
  if pkt.udp then assert.equal(8 + #pkt.payload, pkt.udp.length) end
end

local STACKS <const> = {
  { { "ip" }, { "icmp" } }, { { "ip" }, { "udp" } }, { { "ip" }, { "tcp" } },
  { { "ipv6" }, { "icmpv6" } }, { { "ipv6" }, { "udp" } }, { { "ipv6" }, { "tcp" } },
  { { "eth" }, { "ip" }, { "udp" } }, { { "eth" }, { "vlan" }, { "vlan" }, { "ipv6" }, { "tcp" } },
}

local function built(stack, payload)
  local list <const> = { table.unpack(stack) }
  list[#list + 1] = payload
  return mt.packet(list)
end

-- Runs fn(pkt) as the rule of a port of a pair; gives what came out of it, or what fn raised.
local function ruled(first, bytes, fn)
  local near <const>, far <const> = mt.pair(first)
  local out, why
  far:on(nil, function(pkt)
    local ok, err = pcall(fn, pkt)
    if not ok then why = err end
    return "rewrite"
  end)
  near:on(nil, function(pkt)
    out = pkt:copy()
    return "handled"
  end)
  near:send(bytes)
  local give_up <const> = mt.now() + 10
  while not out and mt.now() < give_up do mt.sleep(0.001) end
  near:close()
  far:close()
  return out, why
end

describe("pkt.payload = ...", function()
  it("takes any length, and all that counts or sums it follows", function()
    for _, stack in ipairs(STACKS) do
      for _, len in ipairs { 0, 1, 7, 8, 200, 1401, 9000, 65000 } do
        local pkt <const> = built(stack, "before")
        pkt.payload = ("after!?"):rep(len // 7 + 1):sub(1, len)
        assert.equal(len, #pkt.payload)
        assert_right(pkt)
        assert.is_true(built(stack, pkt.payload):bytes() == pkt:bytes())
      end
    end
  end)

  it("keeps a wrong checksum wrong, and one that was none none", function()
    local _ <close> = wrong "checksums by hand"
    for _, len in ipairs { 0, 3, 300 } do
      local pkt <const> = mt.packet { { "ip" }, { "udp", checksum = 0x1234 }, "before" }
      pkt.payload = ("x"):rep(len)
      assert_right(pkt, true)
      local header <const> = mt.packet { { "ip", checksum = 0x1234 }, { "udp" }, "before" }
      header.payload = ("x"):rep(len)
      assert_right(header, true)
      local none <const> = mt.packet { { "ip" }, { "udp", checksum = 0 }, "before" }
      none.payload = ("x"):rep(len)
      assert.equal(0, none.udp.checksum)
    end
  end)

  it("makes lengths that were written by hand right", function()
    local pkt <const> = mt.packet { { "ip" }, { "udp" }, "before" }
    do
      local _ <close> = wrong "lengths by hand"
      pkt.ip.len, pkt.udp.length = 77, 99
    end
    pkt.payload = "after"
    assert.same({ 33, 13 }, { pkt.ip.len, pkt.udp.length })
    assert_right(pkt)
    for _, length in ipairs { 0, 7, 9, 65535 } do
      local _ <close> = wrong "lengths by hand"
      pkt.udp.length = length
      pkt.payload = "before"
      assert_right(pkt)
    end
  end)

  it("drops padding", function()
    local pkt <const> = mt.packet(frames.eth(0x0800, frames.ip4({ proto = 17 }, frames.udp {})) .. ("\0"):rep(18), "eth")
    pkt.payload = "after"
    assert.equal(14 + 20 + 8 + 5, #pkt)
    assert_right(pkt)
  end)

  it("is that of a packet in a rule too, and goes out so", function()
    for _, stack in ipairs(STACKS) do
      local pkt <const> = built(stack, "before")
      for _, len in ipairs { 1, 1000, 8000 } do
        local out <const> = ruled(pkt.eth and "eth" or "ip", pkt, function(lent) lent.payload = ("x"):rep(len) end)
        assert.is_true(built(stack, ("x"):rep(len)):bytes() == out:bytes())
      end
    end
  end)

  it("refuses what is over the port's MTU, the packet untouched", function()
    local tun <close> = assert(mt.tun { name = "tun7", addr = "192.0.2.1/24", mtu = 1300 })
    local why, was, is
    tun:on("icmp", function(pkt)
      was = pkt:bytes()
      why = select(2, pcall(function() pkt.payload = ("x"):rep(1273) end))
      is = pkt:bytes()
      pkt.payload = ("x"):rep(1272)
      assert_right(pkt)
      pkt:turn()
      return "rewrite"
    end)
    local ping <const> = assert(mt.spawn { "ping", "-c1", "-w10", "192.0.2.9", on_line = mt.log.debug })
    ping:wait()
    assert.matches("pkt.payload: 1273 bytes are too many (at most 1272: the MTU of tun7 is 1300)", why, 1, true)
    assert.equal(was, is)
    assert.same({ 1, 0, 0 }, { tun.counters.tx_packets, tun.counters.tx_dropped, tun.counters.script_errors })
  end)

  it("refuses what is too long for a length field, the packet untouched", function()
    for _, case in ipairs { { STACKS[2], 65507 }, { STACKS[3], 65495 }, { STACKS[5], 65527 } } do
      local pkt <const> = built(case[1], "before")
      local was <const> = pkt:bytes()
      pkt.payload = ("x"):rep(case[2])
      assert.equal(case[2], #pkt.payload)
      assert_right(pkt)
      assert.has_error(function() pkt.payload = ("x"):rep(case[2] + 1) end,
        ("pkt.payload: %d bytes are too many (at most %d)"):format(case[2] + 1, case[2]))
      pkt.payload = "before"
      assert.equal(was, pkt:bytes())
    end
    local pkt <const> = built(STACKS[1], "before")
    assert.has_error(function() pkt.payload = 7 end, "pkt.payload takes a string, not a number")
  end)
end)

describe("pkt.inner.payload = ...", function()
  local INNER <const> = { { { "ip" }, { "udp" } }, { { "ipv6" }, { "tcp" } }, { { "ip" }, { "icmp" } } }
  local OUTER <const> = {
    { { "ip" } }, { { "ipv6" } }, { { "eth" }, { "ip" }, { "gre", key = 7 } },
    { { "eth" }, { "vlan" }, { "ipv6" }, { "udp" }, { "vxlan", vni = 5 }, { "eth" } },
    { { "ip" }, { "udp" }, { "vxlan" }, { "eth" }, { "vlan" } }, { { "ip" }, { "gre" }, { "ipv6" } },
  }

  local function deepest(pkt)
    while pkt.inner do pkt = pkt.inner end
    return pkt
  end

  local function each(fn)
    for _, outer in ipairs(OUTER) do
      for _, inner in ipairs(INNER) do
        fn(function(payload)
          local list <const> = { table.unpack(outer) }
          for _, layer in ipairs(inner) do list[#list + 1] = layer end
          list[#list + 1] = payload
          return mt.packet(list)
        end)
      end
    end
  end

  it("makes what is built with that payload, lengths and checksums of all packets right", function()
    each(function(tunnel)
      for _, len in ipairs { 0, 1, 6, 7, 200, 1401, 60000 } do
        local pkt <const> = tunnel "before"
        local inner <const> = deepest(pkt)
        inner.payload = ("x"):rep(len)
        assert.is_true(tunnel(("x"):rep(len)):bytes() == pkt:bytes())
        -- The handle goes on.
        assert.equal(len, #inner.payload)
        inner.payload = "before"
        assert.equal(tunnel("before"):bytes(), pkt:bytes())
      end
    end)
  end)

  it("is that of a packet in a rule too", function()
    each(function(tunnel)
      local pkt <const> = tunnel "before"
      local out <const>, why <const> = ruled(pkt.eth and "eth" or "ip", pkt, function(lent)
        deepest(lent).payload = ("y"):rep(900)
      end)
      assert.is_nil(why)
      assert.equal(tunnel(("y"):rep(900)):bytes(), out:bytes())
    end)
  end)

  it("keeps wrong checksums wrong, and GRE's right", function()
    do
      local _ <close> = wrong "checksums by hand"
      local pkt <const> = mt.packet { { "ip" }, { "ip", checksum = 0x1234 }, { "udp", checksum = 0x1234 }, "before" }
      local sums <const> = frames.sum(pkt:bytes(21, 40))
      pkt.inner.payload = "after it"
      assert.equal(sums, frames.sum(pkt:bytes(21, 40)))
      assert.is_true(pkt:tree():find "checksum +0x%x+, right.*checksum +0x%x+, wrong.*checksum +0x%x+, wrong" ~= nil)
    end
    local list <const> = { { "ip" }, { "gre", checksum = 0 }, { "ip" }, { "udp" }, "before" }
    local function summed()
      local _ <close> = wrong "a checksum of 0, to be summed"
      list[2].checksum = 0
      list[2].checksum = ~frames.sum(mt.packet(list):bytes(21)) & 0xffff
    end
    summed()
    local pkt <const> = mt.packet(list)
    pkt.inner.payload = "after it, and odd"
    assert.equal(0xffff, frames.sum(pkt:bytes(21)))
    pkt.payload = pkt.payload .. "more"
    assert.equal(0xffff, frames.sum(pkt:bytes(21)))
  end)

  it("drops the padding of the frame inside, and what follows it", function()
    local frame <const> = frames.eth(0x0800, frames.ip4({ proto = 17 }, frames.udp {})) .. ("\0"):rep(18)
    local pkt <const> = mt.packet { { "ip" }, { "udp" }, { "vxlan" }, frame }
    pkt.inner.payload = "after"
    assert.equal(20 + 8 + 8 + 14 + 20 + 8 + 5, #pkt)
    assert_right(pkt)
    assert_right(pkt.inner)
  end)

  it("refuses what is too long for any of the packets, all untouched", function()
    local pkt <const> = mt.packet { { "ip" }, { "gre" }, { "ipv6" }, { "udp" }, "before" }
    local was <const> = pkt:bytes()
    assert.has_error(function() pkt.inner.payload = ("x"):rep(65464) end,
      "pkt.payload: 65464 bytes are too many (at most 65463)")
    assert.equal(was, pkt:bytes())
    pkt.inner.payload = ("x"):rep(65463)
    assert.same({ 65535, 65471 }, { pkt.ip.len, pkt.inner.udp.length })
  end)
end)

describe("pkt:push and pkt:pop", function()
  it("put a tag on and take it off again", function()
    local pkt <const> = mt.packet { { "eth" }, { "ip" }, { "udp" }, "datagram" }
    local was <const> = pkt:bytes()
    assert.equal(pkt, pkt:push("vlan", { id = 5, priority = 3 }))
    assert.same({ "eth", "vlan", "ip", "udp" }, pkt:layers())
    assert.same({ 0x8100, 5, 3, 0x0800 }, { pkt.eth.type, pkt.vlan.id, pkt.vlan.priority, pkt.vlan.etype })
    assert_right(pkt)
    pkt:push "vlan"
    assert.same({ "eth", "vlan", "vlan2", "ip", "udp" }, pkt:layers())
    assert.same({ 0x88a8, 1, 0x8100, 5 }, { pkt.eth.type, pkt.vlan.id, pkt.vlan.etype, pkt.vlan2.id })
    assert_right(pkt)
    assert.equal(5, pkt:copy():pop("vlan").vlan.id)
    assert.equal(1, pkt:copy():pop("vlan2").vlan.id)
    assert.equal(was, pkt:pop("vlan2"):pop("vlan"):bytes())
  end)

  it("build what is built with the tags", function()
    local tagged <const> = mt.packet { { "eth" }, { "vlan", id = 9 }, { "vlan", id = 8 }, { "ipv6" }, { "tcp" }, "x" }
    local pkt <const> = mt.packet { { "eth" }, { "ipv6" }, { "tcp" }, "x" }
    assert.equal(tagged:bytes(), pkt:push("vlan", { id = 8 }):push("vlan", { id = 9 }):bytes())
  end)

  it("work on a packet in a rule", function()
    local frame <const> = mt.packet { { "eth" }, { "ip" }, { "icmp" }, "data" }
    local out = ruled("eth", frame, function(pkt) pkt:push("vlan", { id = 7 }) end)
    assert.equal(7, out.vlan.id)
    out = ruled("eth", out, function(pkt) pkt:pop "vlan" end)
    assert.equal(frame:bytes(), out:bytes())
  end)

  it("use up the headroom and go on", function()
    local pkt <const> = mt.packet { { "eth" }, { "ip" }, { "udp" }, "datagram" }
    local was <const> = pkt:bytes()
    for i = 1, 60 do
      pkt.payload = ("x"):rep(i * 10)
      pkt:push("vlan", { id = i }):push("vlan", { id = 2 * i })
      assert_right(pkt)
      assert.equal(i, pkt:pop("vlan").vlan.id)
      pkt:pop "vlan"
    end
    pkt.payload = "datagram"
    assert.equal(was, pkt:bytes())
  end)

  it("refuse what is not there or would be one too many, the packet untouched", function()
    local pkt <const> = mt.packet { { "eth" }, { "vlan" }, { "vlan" }, { "ip" }, "x" }
    local was <const> = pkt:bytes()
    assert.has_error(function() pkt:push "vlan" end, "pkt:push: this packet has two tags already")
    assert.has_error(function() pkt:push("vlan", { id = 4096 }) end, "vlan.id = 4096 is out of range (0 to 4095)")
    assert.has_error(function() pkt:push("vlan", { idd = 1 }) end, 'vlan has no field "idd" (did you mean "id"?)')
    assert.has_error(function() pkt:pop "ip" end, "pkt:pop: no packet is in this one's ip")
    assert.has_error(function() pkt:pop "udp" end,
      'pkt:pop: "udp" is no layer that can be put on or taken off (vlan is, and tunnels)')
    assert.equal(was, pkt:bytes())
    local bare <const> = mt.packet { { "ip" }, "x" }
    assert.has_error(function() bare:push "vlan" end, "pkt:push: this packet has no eth")
    assert.has_error(function() bare:pop "vlan" end, "pkt:pop: this packet has no vlan")
  end)

  local TUNNELS <const> = {
    { "vxlan", { "eth" }, { "ip" }, { "udp" }, { "vxlan", vni = 5 } },
    { "gre", { "eth" }, { "ipv6" }, { "gre", key = 7 } }, { "gre", { "ip" }, { "gre" } },
    { "ip", { "ip", dst = "198.51.100.1" } }, { "ipv6", { "ipv6" } },
  }

  it("put a packet into a tunnel and take it out again", function()
    for _, tunnel in ipairs(TUNNELS) do
      local headers <const> = { table.unpack(tunnel, 2) }
      local name <const> = tunnel[1]
      local list <const> = { name == "vxlan" and { "eth" } or nil }
      for _, layer in ipairs { { "ip" }, { "tcp" }, "segment" } do list[#list + 1] = layer end
      local pkt <const> = mt.packet(list)
      local was <const> = pkt:bytes()
      pkt:push(headers)
      local whole <const> = { table.unpack(headers) }
      for _, layer in ipairs(list) do whole[#whole + 1] = layer end
      assert.is_true(mt.packet(whole):bytes() == pkt:bytes(), name)
      assert.equal(was, pkt.inner:bytes())
      local out <const> = pkt:copy():pop(name)
      if pkt.eth and name ~= "vxlan" then
        assert.same({ 0x0800, was }, { out.eth.type, out:bytes(15) })
      else
        assert.equal(was, out:bytes())
      end
    end
  end)

  it("make an IP packet a frame, of one's own only", function()
    local pkt <const> = mt.packet { { "ip" }, { "udp" }, "datagram" }
    local frame <const> = pkt:copy():push { { "eth", dst = "02:00:00:00:00:09" }, { "vlan", id = 3 } }
    assert.same({ "eth", "vlan", "ip", "udp" }, frame:layers())
    assert.equal(pkt:bytes(), frame:bytes(19))
    local out <const>, why = ruled("ip", pkt, function(lent) lent:push { { "eth" } } end)
    assert.matches("pkt:push: its port carries ip packets", why, 1, true)
    assert.equal(pkt:bytes(), out:bytes())
    local inside <const> = mt.packet { { "ip" }, { "gre" }, { "eth" }, { "ip" }, "x" }
    why = select(2, ruled("ip", inside, function(lent) lent:pop "gre" end))
    assert.matches("what gre carries is no ip packet", why, 1, true)
    assert.equal("eth", inside:pop("gre"):layers()[1])
  end)

  it("refuse a tunnel that cannot carry it", function()
    local pkt <const> = mt.packet { { "ip" }, "x" }
    assert.has_error(function() pkt:push { { "ip" }, { "udp" } } end, "pkt:push: this cannot follow udp (vxlan, dns, dhcp can)")
    assert.has_error(function() pkt:push {} end, "pkt:push: needs a layer and a packet of a known kind")
    pkt.payload = ("x"):rep(65400)
    assert.error_matches(function() pkt:push { { "ip", ttl = 1 }, { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" },
      { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" }, { "ip" } } end, "too long")
    local lent <const> = mt.packet { { "ip" }, ("x"):rep(65515) }
    assert.matches("too long", select(2, ruled("ip", lent, function(it) it:push { { "ip" } } end)))
  end)
end)
