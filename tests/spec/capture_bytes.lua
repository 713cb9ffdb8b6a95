-- Capture files byte by byte, of both formats and byte orders, as other programs write them.
local M <const> = {}

function M.hex(text)
  return (text:gsub("%s", ""):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

-- An echo request 192.0.2.1 > 192.0.2.7, seq 7, both checksums right.
M.ip4 = M.hex "45000024 00010000 4001f6cf c0000201 c0000207 0800 2464 1234 0007 6d6f6f6e 74617021"
M.ip6 = M.hex "60000000 00083a40" .. M.hex "fd00000000000000 0000000000000009 fd00000000000000 0000000000000007"
  .. M.hex "8000 7376 1234 0001"
M.arp = M.hex "0001 0800 06 04 0001 020000000009 c0000209 000000000000 c0000207"
M.eth = M.hex "020000000002 020000000009 0800" .. M.ip4

-- Classic pcap. order: "<" or ">"; records: { bytes, sec=, fraction=, original= }.
function M.pcap(order, linktype, records, nano)
  local out <const> = { string.pack(order .. "I4I2I2i4I4I4I4", nano and 0xa1b23c4d or 0xa1b2c3d4, 2, 4, 0, 0, 262144, linktype) }
  for _, record in ipairs(records) do
    out[#out + 1] = string.pack(order .. "I4I4I4I4", record.sec or 1, record.fraction or 0, #record[1],
      record.original or #record[1]) .. record[1]
  end
  return table.concat(out)
end

local function padded(bytes)
  return bytes .. ("\0"):rep(-#bytes % 4)
end

function M.block(order, kind, body)
  body = padded(body)
  return string.pack(order .. "I4I4", kind, #body + 12) .. body .. string.pack(order .. "I4", #body + 12)
end

-- options: a list of { code, bytes }
function M.options(order, options)
  local out <const> = {}
  for _, option in ipairs(options or {}) do
    out[#out + 1] = string.pack(order .. "I2I2", option[1], #option[2]) .. padded(option[2])
  end
  return #out > 0 and table.concat(out) .. "\0\0\0\0" or ""
end

function M.section(order)
  return M.block(order, 0x0a0d0d0a, string.pack(order .. "I4I2I2i8", 0x1a2b3c4d, 1, 0, -1))
end

function M.interface(order, linktype, options, snaplen)
  return M.block(order, 1, string.pack(order .. "I2I2I4", linktype, 0, snaplen or 0) .. M.options(order, options))
end

function M.packet(order, interface, ticks, bytes, options, original)
  return M.block(order, 6, string.pack(order .. "I4I4I4I4I4", interface, ticks >> 32, ticks & 0xffffffff, #bytes,
    original or #bytes) .. padded(bytes) .. M.options(order, options))
end

return M
