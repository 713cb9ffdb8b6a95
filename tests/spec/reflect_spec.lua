-- Two reflectors face to face: one exchange, no loop; and what mt.reflect takes.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local K <const>, R <const> = frames.K, frames.R

describe("two reflecting ports", function()
  for first, requests in pairs {
    eth = { frames.eth(0x0800, frames.ip4({}, frames.icmp {})), frames.eth(0x86dd, frames.ip6({}, frames.icmp6 {})),
      frames.eth(0x0806, frames.arp {}, { to = ("\xff"):rep(6) }) },
    ip = { frames.ip4({}, frames.icmp {}), frames.ip6({}, frames.icmp6 {}) },
  } do
    it("of " .. first .. " packets end after one exchange", function()
      local left <const>, right <const> = mt.pair(first, "left", "right")
      local net <const> = { "192.0.2.0/24", "2001:db8::/64" }
      left:on(nil, mt.reflect { net = net, mac = first == "eth" and "02:00:00:00:00:01" or nil })
      right:on(nil, mt.reflect { net = net, mac = first == "eth" and "02:00:00:00:00:02" or nil })
      for i, request in ipairs(requests) do
        left:send(request)
        local give_up <const> = mt.now() + 10
        while left.counters.rx_packets < i and mt.now() < give_up do mt.sleep(0.001) end
        mt.sleep(0.02) -- time for a loop to show
        local l <const>, r <const> = left.counters, right.counters
        assert.same({ i, i, 0 }, { r.rx_packets, r.replied, r.dropped })
        assert.same({ i, 0, i, i }, { l.rx_packets, l.replied, l.dropped, l.drops.policy })
        assert.same({ i, i }, { l.tx_packets, r.tx_packets })
      end
      left:close()
      right:close()
    end)
  end
end)

describe("mt.reflect", function()
  local near, far, got

  local function open(first, options)
    near, far = mt.pair(first, "near", "far")
    got = {}
    near:on(nil, function(pkt)
      got[#got + 1] = pkt:copy()
      return "handled"
    end)
    far:on(nil, mt.reflect(options))
  end

  after_each(function()
    local c <const> = far.counters
    assert.equal(c.rx_packets, c.replied + c.dropped)
    near:close()
    far:close()
  end)

  local function ask(bytes)
    got = {}
    local before <const>, give_up <const> = far.counters.rx_packets, mt.now() + 10
    near:send(bytes)
    while far.counters.rx_packets == before or near.counters.rx_packets < far.counters.tx_packets do
      assert(mt.now() < give_up)
      mt.sleep(0.001)
    end
    return got[1]
  end

  it("answers for no address where neither net nor link says which", function()
    open("ip", {})
    assert.is_nil(ask(frames.ip4({}, frames.icmp {})))
  end)

  it("answers for net but what except takes out", function()
    open("ip", { net = { "192.0.2.0/24", "2001:db8::/64" }, except = { "192.0.2.96/28", "2001:db8::100" } })
    assert.is_nil(ask(frames.ip4({}, frames.icmp {})))
    assert.is_nil(ask(frames.ip6({}, frames.icmp6 {})))
    assert.truthy(ask(frames.ip4({ dst = frames.addr4 "192.0.2.95" }, frames.icmp {})))
  end)

  it("answers for the two addresses of a /31 and the one of a /32 (RFC 3021)", function()
    open("ip", { net = { "192.0.2.100/31", "192.0.2.200" } })
    for _, addr in ipairs { "192.0.2.100", "192.0.2.101", "192.0.2.200" } do
      assert.truthy(ask(frames.ip4({ dst = frames.addr4(addr) }, frames.icmp {})), addr)
    end
    assert.is_nil(ask(frames.ip4({ dst = frames.addr4 "192.0.2.102" }, frames.icmp {})))
  end)

  it("sets the ttl it is told", function()
    open("ip", { net = { "192.0.2.0/24", "2001:db8::/64" }, ttl = 3 })
    assert.equal(3, ask(frames.ip4({}, frames.icmp {})).ip.ttl)
    assert.is_true(frames.verifies(got[1]:bytes()))
    assert.equal(3, ask(frames.ip6({}, frames.icmp6 {})).ipv6.hlim)
  end)

  it("answers as the port's MAC, or as mac", function()
    open("eth", { net = "192.0.2.0/24" })
    assert.is_nil(ask(frames.eth(0x0800, frames.ip4({}, frames.icmp {}))))
    assert.equal(far.mac, ask(frames.eth(0x0806, frames.arp {}, { to = ("\xff"):rep(6) })).arp.src_mac)
    assert.equal(far.mac, got[1].eth.src)
    far:policy { { nil, mt.reflect { net = "192.0.2.0/24", mac = "02:00:00:00:00:02" } } }
    local echo <const> = frames.ip4({}, frames.icmp {})
    assert.equal("02:00:00:00:00:02", ask(frames.eth(0x0800, echo)).eth.src)
    assert.equal("02:00:00:00:00:02", ask(frames.eth(0x0806, frames.arp {}, { to = ("\xff"):rep(6) })).arp.src_mac)
  end)

  it("leaves out what is switched off", function()
    local off <const> = { net = { "192.0.2.0/24", "2001:db8::/64" }, mac = "02:00:00:00:00:02", echo = false, arp = false }
    open("eth", off)
    assert.is_nil(ask(frames.eth(0x0800, frames.ip4({}, frames.icmp {}))))
    assert.is_nil(ask(frames.eth(0x86dd, frames.ip6({}, frames.icmp6 {}))))
    assert.is_nil(ask(frames.eth(0x0806, frames.arp {}, { to = ("\xff"):rep(6) })))
    local solicitation <const> = frames.sum6({}, "\x87\0\0\0\0\0\0\0" .. R.ip6 .. "\1\1" .. K.mac)
    assert.truthy(ask(frames.eth(0x86dd, frames.ip6({ hlim = 255 }, solicitation))))
    far:policy { { nil, mt.reflect { net = "2001:db8::/64", mac = "02:00:00:00:00:02", nd = false } } }
    assert.is_nil(ask(frames.eth(0x86dd, frames.ip6({ hlim = 255 }, solicitation))))
    assert.truthy(ask(frames.eth(0x86dd, frames.ip6({}, frames.icmp6 {}))))
  end)

  it("refuses what it does not know", function()
    open("ip", {})
    assert.error_matches(function() mt.reflect { nets = "192.0.2.0/24" } end, 'unknown key "nets"', 1, true)
    assert.error_matches(function() mt.reflect { net = "192.0.2.0/33" } end, "net")
    assert.error_matches(function() mt.reflect { except = 42 } end, "except")
    assert.error_matches(function() mt.reflect { ttl = 0 } end, "ttl")
    assert.error_matches(function() mt.reflect { mac = "02:00" } end, "mac")
    assert.error_matches(function() mt.reflect { echo = 1 } end, "echo")
  end)
end)
