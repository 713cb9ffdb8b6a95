-- N rules on one field, of which the last matches.
local mt <const> = require "moontap"

local count <const> = tonumber((...)) or 1
local tun <const> = assert(mt.tun { name = "tun0", addr = "192.168.1.134/24" })

for i = count - 1, 1, -1 do
  tun:on({ ["ip.dst"] = ("192.168.1.%d"):format(100 + i) }, "drop")
end
tun:on({ ["ip.dst"] = "192.168.1.100" }, "reply")
