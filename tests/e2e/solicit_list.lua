-- Prints, for each address given, a neighbour solicitation for it and the advertisement that answers
-- it, in hexadecimal with a tab between them: solicit_list.lua TESTS ADDR...
local mt <const> = require "moontap"
local tests <const> = ...
local hostile <const>, hex <const> = dofile(tests .. "/spec/hostile.lua"), dofile(tests .. "/spec/frames.lua").hex

-- The 16 bytes of an address, by way of a packet's field.
local function bytes_of(addr)
  local pkt <const> = mt.packet("\x60" .. ("\0"):rep(39), "ip")
  pkt.ipv6.dst = addr
  return pkt:bytes(25, 40)
end

for _, addr in ipairs { select(2, ...) } do
  local question <const>, answer <const> = hostile.solicit(bytes_of(addr))
  print(hex(question), hex(answer))
end
