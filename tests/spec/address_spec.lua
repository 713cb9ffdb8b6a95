-- Addresses as strings: kept ones are the same as fresh ones, in any spelling and number.
local mt <const> = require "moontap"

local ECHO <const> = "\x45\x00\x00\x1c\x00\x01\x40\x00\x40\x01\xb6\xa5\xc0\xa8\x01\x86\xc0\xa8\x01\x64"
  .. "\x08\x00\xd6\xcb\x21\x33\x00\x01"

describe("the strings of addresses", function()
  it("are right for more addresses than are kept, and again", function()
    local pkt <const> = mt.packet(ECHO, "ip")
    for _ = 1, 2 do
      for i = 0, 999 do
        local addr <const> = ("10.%d.%d.%d"):format(i % 7, i // 256, i % 256)
        pkt.ip.src = addr
        assert.equal(addr, pkt.ip.src)
        assert.equal(("0a%02x%02x%02x"):format(i % 7, i // 256, i % 256),
          (pkt:bytes(13, 16):gsub(".", function(c) return ("%02x"):format(c:byte()) end)))
      end
    end
  end)

  it("come back canonical, however they were written", function()
    local pkt <const> = mt.packet { { "ipv6" }, { "icmpv6", type = 128 } }
    for _, spelling in ipairs { "2001:DB8::1", "2001:db8:0:0::1", "2001:db8:0:0:0:0:0:1" } do
      for _ = 1, 3 do
        pkt.ipv6.src = spelling
        assert.equal("2001:db8::1", pkt.ipv6.src)
      end
    end
  end)

  it("survive the collector", function()
    local pkt <const> = mt.packet(ECHO, "ip")
    for i = 1, 300 do
      pkt.ip.dst = "192.0.2." .. i % 256
      if i % 50 == 0 then collectgarbage() end
      assert.equal("192.0.2." .. i % 256, pkt.ip.dst)
    end
  end)

  it("of one family are no address of the other", function()
    local pkt <const> = mt.packet(ECHO, "ip")
    local six <const> = mt.packet { { "ipv6" }, { "icmpv6", type = 128 } }
    six.ipv6.src = "2001:db8::1"
    assert.has_error(function() pkt.ip.src = "2001:db8::1" end)
    pkt.ip.src = "192.0.2.1"
    assert.has_error(function() six.ipv6.src = "192.0.2.1" end)
  end)
end)
