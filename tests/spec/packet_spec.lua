-- Packets as scripts see them: fields are read and written where they lie.
local mt <const> = require "moontap"

-- An echo request from 192.168.1.134 to 192.168.1.100, id 8499, seq 1, both checksums right.
local function echo()
  return mt.packet("\x45\x00\x00\x1c\x00\x01\x40\x00\x40\x01\xb6\xa7\xc0\xa8\x01\x86\xc0\xa8\x01\x64"
    .. "\x08\x00\xd6\xcb\x21\x33\x00\x01", "ip")
end

describe("a packet", function()
  it("prints tcpdump's line", function()
    assert.equal("IP 192.168.1.134 > 192.168.1.100: ICMP echo request, id 8499, seq 1, length 8",
      tostring(echo()))
  end)
end)
