-- Answers questions for names: a DNS server at 192.0.2.53, behind tun0, that knows the names below.
local mt <const> = require "moontap"

local known <const> = {
  ["moon.example"] = "192.0.2.1",
  ["tap.example"] = "192.0.2.2",
}

local tun <const> = assert(mt.tun { name = "tun0", addr = "192.0.2.254/24" })

tun:on({ ["udp.dstport"] = 53, ["ip.dst"] = "192.0.2.53" }, function(pkt)
  local dns <const> = pkt.dns
  if not dns or dns.qr or dns.opcode ~= 0 or dns.qdcount ~= 1 then return "drop" end
  local asked <const> = dns:questions()[1]
  if not asked then return "drop" end
  local addr <const> = known[asked.name:lower()]
  if not addr then
    dns:answer { rcode = "nxdomain" }
  elseif asked.type == "A" and asked.class == "IN" then
    dns:answer { data = addr, ttl = 60 }
  else
    dns:answer {}
  end
  return "reply"
end)
