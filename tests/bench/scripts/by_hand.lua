-- A whole responder in Lua: swaps the addresses, sets type and TTL, says rewrite.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })

tun:on("", function(pkt)
  local icmp <const>, ip <const> = pkt.icmp, pkt.ip
  if not icmp or icmp.type ~= 8 or icmp.code ~= 0 then return "drop" end
  ip.src, ip.dst = ip.dst, ip.src
  icmp.type = 0
  ip.ttl = 64
  return "rewrite"
end)
