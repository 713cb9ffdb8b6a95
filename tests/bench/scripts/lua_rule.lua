-- A rule in Lua that reads three fields and says reply.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })

tun:on("", function(pkt)
  local icmp <const>, ip <const> = pkt.icmp, pkt.ip
  if icmp and icmp.type == 8 and icmp.code == 0 and ip.ttl > 1 then return "reply" end
end)
