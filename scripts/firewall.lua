-- Lets hosts inside ask whom they like, and nobody outside in: only answers pass, and a web server.
local mt <const> = require "moontap"

local net <const> = "198.51.100.0/24"
local server <const> = "198.51.100.80"
local later <const> = { ["ip.frag_offset"] = mt.range(8, 65528) }
local fragment <const> = { any = { { ["ip.mf"] = true }, later } }
local idle <const> = 60 -- seconds after which an answer is none any more

local inside <const> = assert(mt.tun { name = "inside", addr = "198.51.100.254/24" })
local outside <const> = assert(mt.tun { name = "outside", addr = "203.0.113.254/24" })
mt.bridge(inside, outside)

-- What was asked, and when: by protocol, who asked, who is to answer.
local asked <const> = {}

local function key(proto, from, from_port, to, to_port)
  return ("%s %s %s %s %s"):format(proto, from, from_port, to, to_port)
end

local function ends(pkt)
  local l4 <const> = pkt.tcp or pkt.udp
  if l4 then return pkt.ip.proto, l4.srcport, l4.dstport end
  return pkt.ip.proto, pkt.icmp.ident, pkt.icmp.ident
end

local function remember(pkt)
  local proto <const>, from <const>, to <const> = ends(pkt)
  asked[key(proto, pkt.ip.src, from, pkt.ip.dst, to)] = mt.now()
end

local function is_answer(pkt)
  local proto <const>, from <const>, to <const> = ends(pkt)
  local at <const> = asked[key(proto, pkt.ip.dst, to, pkt.ip.src, from)]
  return at ~= nil and mt.now() - at <= idle
end

local ours <const> = { ["ip.src"] = net }
local has_ports <const> = { any = { { tcp = true }, { udp = true } } }
local known <const> = { ip = true, any = { has_ports, { icmp = true } } }

inside:policy {
  { { ["not"] = ours }, "drop", label = "forged source" },
  { fragment, "drop", label = "fragments" },
  { known, remember, "pass", label = "ask" },
}
outside:policy {
  { ours, "drop", label = "forged source" },
  { fragment, "drop", label = "fragments" },
  { { ["ip.dst"] = server, ["tcp.dstport"] = { 80, 443 } }, "pass", label = "web server" },
  { known, function(pkt) return is_answer(pkt) and "pass" or nil end, label = "answers" },
  { has_ports, mt.reject { with = "admin-prohibited" }, label = "closed" },
}

mt.every(10, function()
  for k, at in pairs(asked) do
    if mt.now() - at > idle then asked[k] = nil end
  end
end)
