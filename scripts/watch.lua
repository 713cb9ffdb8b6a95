-- Watches tun0: prints each packet and answers none.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun {
  name = "tun0",
  addr = { "192.168.1.134/24", "2001:db8:1::134/64" },
})
tun:on(nil, function(pkt)
  print(("%d bytes: %s"):format(#pkt, pkt))
end)
