-- Builds packets byte by byte, for specs: with sums of its own, so that nothing under test is trusted.
-- Each builder takes a table that overrides what is right, then what it carries.
local pack <const> = string.pack

local frames <const> = {}

-- The kernel's end of the link and ours, and an address of each; others is somebody else's.
local K <const> = { mac = "\x02\0\0\0\0\x01", ip = "\xc0\0\x02\x01", ip6 = "\x20\x01\x0d\xb8" .. ("\0"):rep(11) .. "\x01" }
local R <const> = {
  mac = "\x02\0\0\0\0\x02", ip = "\xc0\0\x02\x64", ip6 = "\x20\x01\x0d\xb8" .. ("\0"):rep(10) .. "\x01\0",
}
frames.K, frames.R = K, R

-- RFC 1071. A buffer of odd length is summed as if a zero byte followed.
function frames.sum(bytes)
  local total = 0
  if #bytes % 2 == 1 then bytes = bytes .. "\0" end
  for i = 1, #bytes, 2 do
    total = total + (string.unpack(">I2", bytes, i))
  end
  while total > 0xffff do
    total = (total & 0xffff) + (total >> 16)
  end
  return total
end

function frames.hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

function frames.with(t, changes)
  local copy <const> = {}
  for k, v in pairs(t or {}) do copy[k] = v end
  for k, v in pairs(changes or {}) do copy[k] = v end
  return copy
end

-- RFC 791 3.1. `t` overrides what is right.
function frames.ip4(t, data)
  local options <const> = t.options or ""
  local head <const> = pack(">BBI2I2I2BBI2", (t.version or 4) << 4 | (t.ihl or 5 + #options // 4), t.tos or 0,
    t.total or 20 + #options + #data, t.id or 0x1234, t.frag or 0, t.ttl or 64, t.proto or 1, 0)
    .. (t.src or K.ip) .. (t.dst or R.ip) .. options
  local checksum <const> = t.checksum or (~frames.sum(head) & 0xffff) ~ (t.flip or 0)
  return head:sub(1, 10) .. pack(">I2", checksum) .. head:sub(13) .. data
end

-- RFC 792. Echo requests unless told otherwise.
function frames.icmp(t)
  local data <const> = t.data or "hostile!"
  local message <const> = pack(">BBI2I2I2", t.type or 8, t.code or 0, 0, t.ident or 0x2133, t.seq or 7) .. data
  local checksum <const> = t.icmp_checksum or (~frames.sum(message) & 0xffff) ~ (t.icmp_flip or 0)
  return message:sub(1, 2) .. pack(">I2", checksum) .. message:sub(5)
end

-- RFC 8200 3. `t.chain` is the extension headers with the number of the first in t.nxt.
function frames.ip6(t, data)
  local chain <const> = t.chain or ""
  return pack(">I4I2BB", (t.version or 6) << 28 | (t.tclass or 0) << 20 | (t.flow or 0),
    t.plen or #chain + #data, t.nxt or 58, t.hlim or 64) .. (t.src or K.ip6) .. (t.dst or R.ip6) .. chain .. data
end

-- RFC 4443 2.3: the sum covers a pseudo-header.
function frames.sum6(t, message)
  local pseudo <const> = (t.src or K.ip6) .. (t.sum_dst or t.dst or R.ip6) .. pack(">I4I4", #message, 58)
  local checksum <const> = t.icmp_checksum or (~frames.sum(pseudo .. message) & 0xffff) ~ (t.icmp_flip or 0)
  return message:sub(1, 2) .. pack(">I2", checksum) .. message:sub(5)
end

function frames.icmp6(t)
  local head <const> = pack(">BBI2I2I2", t.type or 128, t.code or 0, 0, t.ident or 0x2133, t.seq or 7)
  return frames.sum6(t, (head .. (t.data or "hostile!")):sub(1, t.cut))
end

function frames.eth(type, payload, t)
  t = t or {}
  return (t.to or R.mac) .. (t.from or K.mac) .. (t.tags or "") .. pack(">I2", type) .. payload
end

-- RFC 826.
function frames.arp(t)
  return pack(">I2I2BBI2", t.hardware or 1, t.protocol or 0x0800, t.hlen or 6, t.plen or 4, t.opcode or 1)
    .. (t.sha or K.mac) .. (t.spa or K.ip) .. (t.tha or ("\0"):rep(6)) .. (t.tpa or R.ip)
end

-- RFC 768 and RFC 9293 3.1, with a pseudo-header of v4, or v6 where t.is_6.
local function transport(t, proto, segment, at)
  local pseudo <const> = (t.src or (t.is_6 and K.ip6 or K.ip)) .. (t.dst or (t.is_6 and R.ip6 or R.ip))
    .. pack(">I4I4", #segment, proto)
  local checksum <const> = t.checksum_l4 or ~frames.sum(pseudo .. segment) & 0xffff
  return segment:sub(1, at) .. pack(">I2", checksum) .. segment:sub(at + 3)
end

function frames.udp(t)
  local data <const> = t.data or "datagram"
  return transport(t, 17, pack(">I2I2I2I2", t.srcport or 1024, t.dstport or 9, 8 + #data, 0) .. data, 6)
end

function frames.tcp(t)
  return transport(t, 6, pack(">I2I2I4I4BBI2I2I2", t.srcport or 1024, t.dstport or 80, t.seq or 1000, t.ack or 0, 0x50,
    t.flags or 2, 512, 0, 0) .. (t.data or ""), 16)
end

function frames.addr4(text)
  return pack("BBBB", text:match "(%d+)%.(%d+)%.(%d+)%.(%d+)")
end

function frames.bytes(hex)
  return (hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Whether the checksums of an IPv4 or IPv6 datagram verify (RFC 1071): those of its header and of
-- the ICMP, UDP or TCP in it.
function frames.verifies(datagram)
  if datagram:byte(1) >> 4 == 4 then
    local ihl <const> = (datagram:byte(1) & 15) * 4
    local rest <const> = datagram:sub(ihl + 1)
    local pseudo <const> = datagram:byte(10) == 1 and ""
      or datagram:sub(13, 20) .. pack(">I4I4", #rest, datagram:byte(10))
    return frames.sum(datagram:sub(1, ihl)) == 0xffff and frames.sum(pseudo .. rest) == 0xffff
  end
  local pseudo <const> = datagram:sub(9, 40) .. pack(">I4I4", #datagram - 40, datagram:byte(7))
  return frames.sum(pseudo .. datagram:sub(41)) == 0xffff
end

-- What an Ethernet frame carries behind its tags, and the type of that.
function frames.inside(frame)
  local at = 13
  while frame:byte(at) == 0x81 or frame:byte(at) == 0x88 and frame:byte(at + 1) == 0xa8 do at = at + 4 end
  return frame:sub(at + 2), (string.unpack(">I2", frame, at))
end

return frames
