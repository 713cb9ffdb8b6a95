-- Answers pings on tap0, ARP and neighbour discovery included: a network full of hosts.
local mt <const> = require "moontap"

local tap <const> = assert(mt.tap {
  name = "tap0",
  addr = { "192.168.1.134/24", "2001:db8:1::134/64" },
})
tap:on(nil, mt.reflect {})
mt.log.info("answering pings on tap0, as " .. tap.mac .. " (Ctrl-C ends)")
