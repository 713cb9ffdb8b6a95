-- Answers pings on tun0: to every address of its prefixes but the kernel's own.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun {
  name = "tun0",
  addr = { "192.168.1.134/24", "2001:db8:1::134/64" },
})
tun:on(nil, mt.reflect {})
mt.log.info("answering pings on tun0, to 192.168.1.0/24 and 2001:db8:1::/64 (Ctrl-C ends)")
