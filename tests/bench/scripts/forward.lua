-- Two tuns joined: what the namespace left routes into one comes out of the other in right.
local mt <const> = require "moontap"

local offload <const> = (...) == "offload"

local function tun(netns, addr)
  return assert(mt.tun { name = netns .. "0", netns = netns, addr = addr, routes = "10.1.1.0/24", offload = offload })
end

mt.bridge(tun("left", "10.1.1.1/32"), tun("right", "10.1.1.2/32"))
