-- Answers pings as one would by hand: swaps the addresses and sets the type. Checksums follow.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun {
  name = "tun0",
  addr = { "192.168.1.134/24", "2001:db8:1::134/64" },
})

local function answer(pkt)
  local ip <const>, icmp <const> = pkt.ip or pkt.ipv6, pkt.icmp or pkt.icmpv6
  print(("read %d bytes: %s"):format(#pkt, pkt))
  ip.src, ip.dst = ip.dst, ip.src
  icmp.type = pkt.icmp and 0 or 129
  print(("wrote %d bytes: %s"):format(#pkt, pkt))
  return "rewrite"
end

tun:on({ ["icmp.type"] = "echo-request", ["not"] = { ["ip.dst"] = "192.168.1.134" } }, answer)
tun:on({ ["icmpv6.type"] = "echo-request", ["not"] = { ["ipv6.dst"] = "2001:db8:1::134" } }, answer)
