-- Keeps every packet that a spec builds, edits or is lent, and asks tshark whether it is right.
-- What shall be wrong is made under a mark: local _ <close> = wrong "why"
local mt <const> = require "moontap"

local recorder <const> = {}

local STATUS <const> = { "ip.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status", "udp.checksum.status",
  "tcp.checksum.status", "sctp.checksum.status", "gre.checksum.status" }
local BAD <const>, SEVERITY_ERROR <const> = "0", "8388608"

-- What is kept: { bytes =, first =, line =, name =, mark = }, once for each mark.
local kept <const>, is_kept <const> = {}, {}
-- The marks that hold now, the last made last, and all that were ever made, by their lines.
local marks <const>, marked <const> = {}, {}
-- Packets of the script's own; those of mt.corrupt, which lie; the packet around an inner one.
local own <const>, lying <const>, outers <const> = setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "k" }),
  setmetatable({}, { __mode = "k" })
local plain <const> = {}

-- The spec's line that runs, or that of the script in it.
local function line_of_spec()
  local other
  for level = 3, 40 do
    local info <const> = debug.getinfo(level, "Sl")
    if not info then break end
    local line <const> = ("%s:%d"):format(info.short_src, info.currentline)
    if info.short_src:match "_spec%.lua$" then return line end
    if info.currentline > 0 and not info.short_src:match "recorder%.lua$" then other = other or line end
  end
  return other or "?"
end

-- From here to the end of the block packets are wrong on purpose.
function recorder.wrong(why)
  local mark <const> = { why = why, line = line_of_spec() }
  marks[#marks + 1] = mark
  marked[mark.line] = marked[mark.line] or mark
  return setmetatable({}, { __close = function()
    for i = #marks, 1, -1 do
      if marks[i] == mark then return table.remove(marks, i) end
    end
  end })
end

local function keep(pkt)
  while outers[pkt] do pkt = outers[pkt] end
  if lying[pkt] then return end
  local bytes <const>, mark = plain.bytes(pkt), marks[#marks]
  local first <const> = plain.layers(pkt)[1] == "eth" and "eth" or "ip"
  local key <const> = (mark and mark.line or "") .. first .. bytes
  if is_kept[key] then return end
  is_kept[key] = true
  kept[#kept + 1] = { bytes = bytes, first = first, line = line_of_spec(), mark = mark and marked[mark.line],
    name = tostring(pkt) }
end

-- One that a rule's function is lent.
local function is_lent(pkt)
  return not own[pkt] and not outers[pkt] and plain.index(pkt, "port") ~= nil
end

local function made(pkt)
  own[pkt] = true
  keep(pkt)
  return pkt
end

local function watch_layers(pkt)
  for _, layer in ipairs(plain.layers(pkt)) do
    local meta <const> = debug.getmetatable(plain.index(pkt, layer))
    if not plain[meta] then
      plain[meta] = meta.__newindex
      meta.__newindex = function(view, name, value)
        plain[meta](view, name, value)
        keep((debug.getuservalue(view, 1)))
      end
    end
  end
end

local function watch_packets()
  local meta <const> = debug.getmetatable(mt.packet { { "ip" } })
  local _, methods <const> = debug.getupvalue(meta.__index, 1)
  plain.index, plain.newindex = meta.__index, meta.__newindex
  for _, name in ipairs { "bytes", "layers" } do plain[name] = methods[name] end
  for _, name in ipairs { "set", "push", "pop", "turn" } do
    plain[name] = methods[name]
    methods[name] = function(pkt, ...)
      local result <const> = plain[name](pkt, ...)
      keep(pkt)
      return result
    end
  end
  plain.copy = methods.copy
  methods.copy = function(pkt)
    local copy <const> = plain.copy(pkt)
    own[copy], lying[copy] = true, lying[pkt]
    return copy
  end
  meta.__newindex = function(pkt, name, value)
    plain.newindex(pkt, name, value)
    keep(pkt)
  end
  meta.__index = function(pkt, name)
    local value <const> = plain.index(pkt, name)
    if name == "inner" and value then outers[value] = pkt end
    if is_lent(pkt) then keep(pkt) end
    return value
  end
end

local function watch_makers()
  plain.packet, plain.fuzz, plain.corrupt = mt.packet, mt.fuzz, mt.corrupt
  function mt.packet(list, ...)
    local pkt <const> = plain.packet(list, ...)
    if type(list) == "table" then return made(pkt) end
    own[pkt] = true
    return pkt
  end
  function mt.fuzz(...) return made(plain.fuzz(...)) end
  function mt.corrupt(...)
    local pkt <const> = plain.corrupt(...)
    lying[pkt] = true
    return pkt
  end
end

-- What scripts under moontap.testing sent.
local function watch_testing()
  local testing <const> = require "moontap.testing"
  local function keep_all(list)
    for _, seen in ipairs(list) do
      if seen.packet and not seen.reason then keep(seen.packet) end
    end
    return list
  end
  plain.load = testing.load
  function testing.load(...)
    local t <const> = plain.load(...)
    local meta <const> = debug.getmetatable(t)
    if not plain.send then
      local _, methods <const> = debug.getupvalue(meta.__index, 1)
      for _, name in ipairs { "send", "advance" } do
        plain[name] = methods[name]
        methods[name] = function(...) return keep_all(plain[name](...)) end
      end
    end
    keep_all(t.loaded)
    return t
  end
end

function recorder.start()
  local eth <const>, ip <const>, ip6 <const> = { "eth" }, { "ip" }, { "ipv6" }
  for _, stack in ipairs { { eth, { "vlan" }, { "vlan" }, { "arp" } }, { ip, { "icmp" } }, { ip6, { "icmpv6" } }, { ip, { "tcp" } },
    { ip, { "sctp" } }, { ip, { "gre" } }, { ip, { "udp" }, { "vxlan" }, eth }, { ip, { "udp" }, { "dns" } },
    { ip, { "udp" }, { "dhcp" } } } do
    if not plain.index then watch_packets() end
    watch_layers(mt.packet(stack))
  end
  watch_makers()
  watch_testing()
end

-- Packets with a wrong checksum each: tshark must find them, else it did not look.
local function add_canaries()
  for _, stack in ipairs { { { "ip", checksum = 1 } }, { { "ip" }, { "udp", checksum = 1 } }, { { "ip" }, { "tcp", checksum = 1 } },
    { { "ip" }, { "sctp", checksum = 1 }, "\4\0\0\4" }, { { "ip" }, { "icmp", checksum = 1 } },
    { { "ipv6" }, { "icmpv6", checksum = 1 } }, { { "ip" }, { "gre", checksum = 1 } } } do
    local pkt <const> = plain.packet(stack)
    kept[#kept + 1] = { bytes = plain.bytes(pkt), first = "ip", line = "recorder", name = tostring(pkt), is_canary = true,
      mark = { why = "to see that tshark looks", line = "recorder" } }
  end
end

-- By which UDP ports tshark goes; payloads for the rest of its protocols are bytes to us.
local OTHER_PORTS <const> = { "1-52", "54-66", "69-4788", "4790-5352", "5354-65535" }

-- Gives tshark's lines on what was kept: number, malformed, expert's severities and messages, checksums.
local function ask()
  local path <const> = os.tmpname()
  do
    local file <close> = assert(mt.pcap.open(path, "w"))
    for _, packet in ipairs(kept) do
      file:write(plain.packet(packet.bytes, packet.first), { interface = packet.first, time = 1 })
    end
  end
  local command <const> = { "tshark -n -r", path, "-T fields -E 'separator=|' -E 'aggregator=;' -e frame.number -e _ws.malformed",
    "-e _ws.expert.severity -e _ws.expert.message -o 'sctp.checksum:CRC 32c' -o tcp.desegment_tcp_streams:FALSE",
    "-o tcp.analyze_sequence_numbers:FALSE -o ip.defragment:FALSE -o ipv6.defragment:FALSE" }
  for _, ports in ipairs(OTHER_PORTS) do command[#command + 1] = ("-d udp.port==%s,data"):format(ports) end
  command[#command + 1] = "-d tcp.port==1-65535,data"
  for _, name in ipairs { "ip", "tcp", "udp" } do command[#command + 1] = ("-o %s.check_checksum:TRUE"):format(name) end
  for _, name in ipairs(STATUS) do command[#command + 1] = "-e " .. name end
  local pipe <close> = assert(io.popen(table.concat(command, " ") .. " 2>/dev/null"))
  local lines <const> = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  os.remove(path)
  return lines
end

local function split(text, by)
  local parts <const> = {}
  for part in (text .. by):gmatch("(.-)" .. by) do parts[#parts + 1] = part end
  return parts
end

-- What tshark holds against a packet, or nil.
local function complaint(line)
  local fields <const> = split(line, "|")
  if fields[2] ~= "" then return "malformed" end
  for i, name in ipairs(STATUS) do
    for _, status in ipairs(split(fields[4 + i], ";")) do
      if status == BAD then return "bad " .. name:match "^%w+" .. " checksum" end
    end
  end
  for i, severity in ipairs(split(fields[3], ";")) do
    if severity == SEVERITY_ERROR then return split(fields[4], ";")[i] or "error" end
  end
end

-- A list of what is wrong that should not be, and of marks under which nothing is; empty: all is well.
function recorder.complaints()
  local list <const> = {}
  if #kept == 0 then return list end
  if not os.execute "command -v tshark >/dev/null" then return { "missing: Debian package tshark" } end
  add_canaries()
  local lines <const> = ask()
  if #lines ~= #kept then return { ("tshark saw %d packets of %d"):format(#lines, #kept) } end
  for i, packet in ipairs(kept) do
    local what <const> = complaint(lines[i])
    if packet.mark and what then
      packet.mark.is_right = true
    elseif what or packet.is_canary then
      list[#list + 1] = ("%s: tshark: %s: %s"):format(packet.line, what or "does not look", packet.name)
    end
  end
  for line, mark in pairs(marked) do
    if not mark.is_right then list[#list + 1] = ("%s: nothing is wrong under wrong \"%s\""):format(line, mark.why) end
  end
  table.sort(list)
  return list
end

-- How many packets tshark sees.
function recorder.count()
  return #kept
end

return recorder
