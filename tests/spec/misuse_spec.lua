-- What a script gets wrong is said where it is wrong: names of mt, options, addresses.
local mt <const> = require "moontap"

describe("misuse", function()
  local function raises(why, fn, ...)
    local ok <const>, what <const> = pcall(fn, ...)
    assert.is_false(ok)
    assert.truthy(tostring(what):find(why, 1, true), what)
  end

  it("of a name that mt does not have names the near one", function()
    raises("moontap has no reflct (did you mean reflect?)", function() return mt.reflct {} end)
    raises("moontap has no doctr (did you mean doctor?)", function() return mt.doctr {} end)
    raises('mt.log has no "inf" (did you mean "info"?)', function() mt.log.inf "x" end)
    raises('mt.netns has no "xyzzy" (it has add, del, list)', function() return mt.netns.xyzzy end)
    raises('mt.link.set: unknown key "mut" (did you mean "mtu"?)', mt.link.set, "lo", { mut = 3 })
    raises("moontap has no something_else", function() return mt.something_else end)
    raises("misuse_spec.lua:", function() return mt.reflct {} end)
    assert.is_nil(mt[1])
    assert.equal("function", type(mt.doctor))
  end)

  it("of a name that a handle does not have names the near one, or all", function()
    local near <const>, far <const> = mt.pair "ip"
    local rule <const> = near:on(nil, "drop")
    raises('a rule has no "hist" (did you mean "hits"?)', function() return rule.hist end)
    raises('a port has no "polcy" (did you mean "policy"?)', function() return far:polcy {} end)
    raises("a rule has no \"xyzzy\" (it has actions, bytes, hits, label, match, on_error, remove)", function() return rule.xyzzy end)
    raises('a timer has no "canel" (did you mean "cancel"?)', function() mt.after(0, print):canel() end)
    raises("misuse_spec.lua:", function() return rule.hist end)
    near:close()
    far:close()
  end)

  it("is easier to see where handles print what they are", function()
    local timer <const> = mt.every(50, print)
    assert.truthy(tostring(timer):match "^timer %(in %d+%.%d%d%d s%)$")
    timer:cancel()
    assert.equal("timer (over)", tostring(timer))
    assert.equal('mt.reject { with = "tcp-reset" }', tostring(mt.reject { with = "tcp-reset" }))
    assert.equal("mt.reflect {}", tostring(mt.reflect()))
    assert.equal('mt.reflect { except = { "10.0.0.1", "10.0.0.2" }, nd = false }',
      tostring(mt.reflect { nd = false, except = { "10.0.0.1", "10.0.0.2" } }))
    local child <const> = assert(mt.spawn { "sleep", "0" })
    assert.truthy(tostring(child):match "^child %d+ %(running%)$" or tostring(child):match "ended")
    child:wait()
    assert.equal("child (ended with 0)", tostring(child))
    local sniff <const> = assert(mt.sniff { links = { "lo" } })
    assert.equal("sniff of lo: 0 packets kept", tostring(sniff))
    assert.equal("sniff of lo: 0 packets kept (stopped)", tostring(sniff:stop()))
    local path <const> = os.tmpname()
    local file <const> = assert(mt.pcap.open(path, "w"))
    assert.equal("file that is written " .. path, tostring(file))
    file:close()
    assert.equal(("file of packets %s"):format(path), tostring(assert(mt.pcap.open(path))))
    os.remove(path)
  end)

  it("of options that are no table raises", function()
    for _, fn in ipairs { mt.link.list, mt.addr.list, mt.route.list, mt.route.rules, mt.neigh.list, mt.tun, mt.tap } do
      for _, options in ipairs { "x", 5, true } do raises("table expected", fn, options) end
    end
    for _, fn in ipairs { mt.link.get, mt.link.del, mt.route.get, mt.sysctl.get } do
      raises("table expected", fn, fn == mt.route.get and "127.0.0.1" or "lo", 5)
    end
  end)

  it("of an option that a list does not have names the near one", function()
    raises('mt.addr.list: unknown key "netsn" (did you mean "netns"?)', mt.addr.list, { netsn = "lo" })
    raises('mt.route.list: unknown key "dev" (it knows table, netns)', mt.route.list, { dev = "lo" })
    raises('mt.link.list: unknown key "dev" (it knows netns)', mt.link.list, { dev = "lo" })
  end)

  it("of an address that no host can have says what it is", function()
    for addr, what in pairs {
      ["224.0.0.1/24"] = "a multicast address",
      ["239.255.255.255/32"] = "a multicast address",
      ["ff02::1/64"] = "a multicast address",
      ["0.0.0.0/8"] = "the unspecified address",
      ["::/64"] = "the unspecified address",
      ["255.255.255.255/32"] = "the broadcast address",
      ["10.1.1.255/24"] = "the broadcast address of its network",
      ["10.1.1.3/30"] = "the broadcast address of its network",
    } do
      local why <const> = ('addr: "%s" is %s: no host can have it'):format(addr, what)
      raises("mt.tun: " .. why, mt.tun, { name = "tun7", addr = { "10.9.0.1/24", addr } })
      raises("mt.tap: " .. why, mt.tap, { name = "tap7", addr = addr })
      raises("mt.veth: " .. why, mt.veth, { name = "a7" }, { name = "b7", addr = addr })
      raises("mt.addr.add: " .. why, mt.addr.add, { addr = addr, dev = "lo" })
    end
    for _, addr in ipairs { "10.1.1.3/31", "10.1.1.255/16", "10.1.1.255/32", "223.255.255.254/24", "fe80::1/64" } do
      local tun <close> = assert(mt.tun { name = "tun7", addr = addr, up = false })
      assert.truthy(tun)
    end
  end)
end)
