-- Echo to one address from one prefix, TTL 42, the rest dropped: three lines.
local mt <const> = require "moontap"
local tun <const> = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })
tun:on({ ["icmp.type"] = 8, ["ip.dst"] = "192.168.1.100", ["ip.src"] = "192.168.1.128/25" },
  mt.set { ["ip.ttl"] = 42 }, "reply")
