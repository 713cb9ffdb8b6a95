-- The C reflector on a packet socket: ARGS are the link and, if any, the back end.
local mt <const> = require "moontap"

local link <const>, io <const> = ...
local port <const> = assert(mt.attach { name = link, promisc = true, io = io })

port:on("", mt.reflect { net = "10.1.1.100/32", mac = "02:00:00:00:00:99" })
