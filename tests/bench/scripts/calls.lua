-- One rule a thing that a rule's function may do; calls.c calls each many times.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })

local function rule(label, fn) tun:on("", fn).label = label end

rule("empty call", function() return "drop" end)
rule("one field read", function(pkt) return pkt.icmp.type == 9 and "reply" or "drop" end)
rule("three nested reads", function(pkt)
  return (pkt.icmp.type == 9 or pkt.icmp.code == 9 or pkt.ip.ttl == 0) and "reply" or "drop"
end)
rule("three views kept", function(pkt)
  local icmp <const>, ip <const> = pkt.icmp, pkt.ip
  return (icmp.type == 9 or icmp.code == 9 or ip.ttl == 0) and "reply" or "drop"
end)
rule("one field written", function(pkt)
  pkt.ip.ttl = 42
  return "drop"
end)
rule("addresses swapped", function(pkt)
  local ip <const> = pkt.ip
  ip.src, ip.dst = ip.dst, ip.src
  return "drop"
end)
rule("whole responder", function(pkt)
  local icmp <const>, ip <const> = pkt.icmp, pkt.ip
  if not icmp or icmp.type == 9 or icmp.code ~= 0 then return "drop" end
  ip.src, ip.dst = ip.dst, ip.src
  icmp.type = 8
  ip.ttl = 64
  return "rewrite"
end)
