-- Answers questions for names: a DNS server at 192.0.2.53, behind tun0, that knows the names below.
local mt <const> = require "moontap"

local known <const> = {
  ["moon.example"] = "192.0.2.1",
  ["tap.example"] = "192.0.2.2",
}
local ttl <const>, type_a <const>, class_in <const>, no_such_name <const> = 60, 1, 1, 3

local tun <const> = assert(mt.tun { name = "tun0", addr = "192.0.2.254/24" })

-- The first question of a message without its header: name, type, class, and the question's bytes.
local function question(body)
  local labels <const>, at = {}, 1
  local length = body:byte(at)
  while length and length > 0 do
    if length > 63 then return end -- a pointer: there is nothing yet to point at
    labels[#labels + 1] = body:sub(at + 1, at + length):lower()
    at = at + 1 + length
    length = body:byte(at)
  end
  if #body < at + 4 then return end
  local type <const>, class <const> = string.unpack(">I2I2", body, at + 1)
  return table.concat(labels, "."), type, class, body:sub(1, at + 4)
end

tun:on("udp dst port 53 and dst 192.0.2.53", function(pkt)
  local dns <const> = pkt.dns
  if not dns or dns.qr or dns.opcode ~= 0 or dns.qdcount ~= 1 then return "drop" end
  local header <const>, body <const> = pkt.payload:match "^(............)(.*)$"
  local name <const>, type <const>, class <const>, asked <const> = question(body)
  if not name then return "drop" end
  local addr <const> = type == type_a and class == class_in and known[name]
  local answer = ""
  if addr then
    local bytes <const> = string.char(addr:match "(%d+)%.(%d+)%.(%d+)%.(%d+)")
    answer = string.pack(">I2I2I2I4s2", 0xc00c, type_a, class_in, ttl, bytes) -- the name: as in the question
  end
  pkt.payload = header .. asked .. answer
  dns.qr, dns.aa, dns.ra, dns.ancount, dns.nscount, dns.arcount = true, true, false, addr and 1 or 0, 0, 0
  dns.rcode = known[name] and 0 or no_such_name
  return "reply"
end)
