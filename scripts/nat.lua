-- Hides a network behind one address: what comes in by lan0 leaves wan0 as from 198.51.100.1.
local mt <const> = require "moontap"

local outside <const>, first <const>, last <const> = "198.51.100.1", 40000, 40999
local idle <const> = 120 -- seconds that an unused port stays somebody's

local lan <const> = assert(mt.tun { name = "lan0", addr = "10.0.0.254/24" })
local wan <const> = assert(mt.tun { name = "wan0", addr = "198.51.100.254/24" })

-- Who is behind a port of ours: by what it was inside, and by what it is outside.
local by_inside <const>, by_outside <const> = {}, {}
local next_port = first

-- What of the packet tells flows apart: the table and the field names, there and back.
local function flow(pkt)
  if pkt.udp then return "udp", pkt.udp, "srcport", "dstport" end
  if pkt.tcp then return "tcp", pkt.tcp, "srcport", "dstport" end
  if pkt.icmp then return "icmp", pkt.icmp, "ident", "ident" end
end

local function port_take(kind, addr, port)
  for _ = first, last do
    local key <const> = kind .. " " .. next_port
    local taken <const> = { key = key, kind = kind, addr = addr, port = port, outside = next_port }
    next_port = next_port < last and next_port + 1 or first
    if not by_outside[key] then
      by_outside[key] = taken
      return taken
    end
  end
end

lan:on("ip", function(pkt)
  local kind <const>, l4 <const>, src <const> = flow(pkt)
  if not kind or pkt.icmp and pkt.icmp.type ~= 8 then return "drop" end
  local key <const> = ("%s %s %d"):format(kind, pkt.ip.src, l4[src])
  local entry <const> = by_inside[key] or port_take(kind, pkt.ip.src, l4[src])
  if not entry then return "drop" end -- all ports are taken
  by_inside[key], entry.used, entry.inside = entry, mt.now(), key
  pkt.ip.src, l4[src] = outside, entry.outside
  return "rewrite", wan
end)

wan:on("dst " .. outside, function(pkt)
  local kind <const>, l4 <const>, _, dst <const> = flow(pkt)
  local entry <const> = kind and by_outside[kind .. " " .. l4[dst]]
  if not entry then return "drop" end
  entry.used = mt.now()
  pkt.ip.dst, l4[dst] = entry.addr, entry.port
  return "rewrite", lan
end)

mt.every(10, function()
  for key, entry in pairs(by_outside) do
    if mt.now() - entry.used > idle then by_outside[key], by_inside[entry.inside] = nil, nil end
  end
end)
