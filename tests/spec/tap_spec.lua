-- mt.tap and mt.tun: real devices, and what may be said of them.
local mt <const> = require "moontap"

-- What iproute2 prints.
local function ip(command)
  local pipe <close> = assert(io.popen("ip " .. command .. " 2>&1"))
  return pipe:read "a"
end

describe("mt.tap", function()
  after_each(function()
    assert.equal("", (ip "-o link show":gsub("[^\n]*: lo:[^\n]*\n", "")))
  end)

  it("makes a device that is up, with its addresses and a MAC at either end", function()
    local tap <close> = assert(mt.tap { name = "tap7", addr = { "192.0.2.1/24", "2001:db8::1/64" }, mtu = 9000,
      mac = "02:00:00:00:00:01", port_mac = "02:00:00:00:00:02" })
    assert.same({ "tap7", "tap", 9000, "02:00:00:00:00:02", "drop" }, { tap.name, tap.kind, tap.mtu, tap.mac, tap.default })
    assert.equal("tap tap7", tostring(tap))
    local link <const> = ip "-d -o link show tap7"
    assert.truthy(link:find("link/ether 02:00:00:00:00:01", 1, true))
    assert.truthy(link:find("mtu 9000", 1, true))
    assert.truthy(link:find("tun type tap", 1, true))
    local addrs <const> = ip "-o addr show tap7"
    assert.truthy(addrs:find("192.0.2.1/24", 1, true))
    assert.truthy(addrs:find("2001:db8::1/64", 1, true))
    assert.is_nil(addrs:find("2001:db8::1/64[^\n]*tentative"))
  end)

  it("has the same MAC of ours for the same name, and another than the kernel's", function()
    local macs <const> = {}
    for i, name in ipairs { "tap7", "tap7", "tap8" } do
      local tap <close> = assert(mt.tap { name = name })
      macs[i] = tap.mac
      assert.truthy(tap.mac:match "^02:")
      assert.is_nil(ip("-o link show " .. name):find(tap.mac, 1, true))
    end
    assert.equal(macs[1], macs[2])
    assert.not_equal(macs[1], macs[3])
  end)

  it("carries frames: the kernel's answers to ours", function()
    local tap <close> = assert(mt.tap { name = "tap7", addr = "192.0.2.1/24", mac = "02:00:00:00:00:01",
      port_mac = "02:00:00:00:00:02" })
    local answer
    tap:on("arp", function(pkt)
      answer = pkt:copy()
      return "handled"
    end)
    local mac <const>, addr <const> = "\2\0\0\0\0\2", "\xc0\0\2\x64"
    tap:send(("\xff"):rep(6) .. mac .. "\8\6\0\1\8\0\6\4\0\1" .. mac .. addr .. ("\0"):rep(6) .. "\xc0\0\2\1")
    local give_up <const> = mt.now() + 10
    while not answer and mt.now() < give_up do mt.sleep(0.005) end
    assert.same({ 2, "02:00:00:00:00:01", "192.0.2.1", "02:00:00:00:00:02", "192.0.2.100" },
      { answer.arp.opcode, answer.arp.src_mac, answer.arp.src_ip, answer.arp.dst_mac, answer.arp.dst_ip })
    assert.equal("02:00:00:00:00:02", answer.eth.dst)
  end)

  it("is not joined with a tun", function()
    local tap <close> = assert(mt.tap { name = "tap7" })
    local tun <close> = assert(mt.tun { name = "tun7" })
    assert.is_nil(tun.mac)
    assert.has_error(function() mt.bridge(tun, tap) end,
      "tun7 carries ip packets and tap7 carries eth packets: they cannot be joined")
    assert.has_error(function() tap:pass_to(tun) end,
      "tap7 carries eth packets and tun7 carries ip packets: they cannot be joined")
    assert.same({ "drop", "drop" }, { tun.default, tap.default })
    assert.same({}, { tun.next, tap.next })
  end)

  it("drops and counts what is longer than the MTU", function()
    local tap <close> = assert(mt.tap { name = "tap7", mtu = 1500 })
    tap:send(("\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5") .. ("x"):rep(1500))
    tap:send(("\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5") .. ("x"):rep(1520))
    assert.same({ 1, 1 }, { tap.counters.tx_packets, tap.counters.tx_drops.too_long })
  end)

  it("is gone once closed, and says so", function()
    local tap <const> = assert(mt.tap { name = "tap7" })
    tap:close()
    tap:close()
    assert.equal("tap tap7 (closed)", tostring(tap))
    assert.has_error(function() tap:on(nil, "drop") end, "port tap7 is closed")
    assert.has_error(function() tap:send "x" end, "port tap7 is closed")
  end)

  it("gives nil and why where the world refuses", function()
    local tap <close> = assert(mt.tap { name = "tap7", addr = "192.0.2.1/24" })
    assert.truthy(tap)
    local again <const>, why <const>, code <const> = mt.tap { name = "tap7" }
    assert.is_nil(again)
    assert.truthy(why:match "^tap7: the name is in use")
    assert.equal(16, code)
  end)

  it("refuses what it does not know", function()
    assert.error_matches(function() mt.tap { nmae = "tap7" } end, 'unknown key "nmae" (did you mean "name"?)', 1, true)
    assert.error_matches(function() mt.tap {} end, "name must be a string")
    assert.error_matches(function() mt.tap { name = "a name" } end, "space")
    assert.error_matches(function() mt.tap { name = ("x"):rep(16) } end, "1 to 15 bytes")
    assert.error_matches(function() mt.tap { name = "tap7", mtu = 65522 } end, "mtu")
    assert.error_matches(function() mt.tap { name = "tap7", mac = "02:00" } end, "mac")
    assert.error_matches(function() mt.tap { name = "tap7", addr = "192.0.2.1/33" } end, "addr")
    assert.error_matches(function() mt.tun { name = "tun7", mac = "02:00:00:00:00:01" } end, 'unknown key "mac"', 1, true)
    assert.error_matches(function() mt.tap "tap7" end, "table")
  end)
end)
