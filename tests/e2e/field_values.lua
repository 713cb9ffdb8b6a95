-- field_values.lua names: the options that make tshark print every field of mt.fields().
-- field_values.lua DIRECTORY: compares pkt:get(name) with DIRECTORY/NAME.txt, tshark's values of all captured
-- packets: the first of each (-E occurrence=f), the last (l) for what is innermost. Ends with 1 where they
-- differ unexplained, or where no capture has a field.
local mt <const> = require "moontap"
local captures <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "captures.lua")

local fields <const> = {}
for _, field in ipairs(mt.fields()) do
  fields[#fields + 1] = field.tshark and field or nil
end

-- One field here, several in tshark; these stand further out than what the table names.
local ALSO <const> = {
  ["vlan.id"] = { "ieee8021ad.id" },
  ["vlan.priority"] = { "ieee8021ad.priority" },
  ["vlan.dei"] = { "ieee8021ad.dei" },
  ["icmpv6.target"] = { "icmpv6.nd.na.target_address", "icmpv6.nd.rd.target_address" },
}

if ... == "names" then
  for _, field in ipairs(fields) do
    for _, name in ipairs(ALSO[field.name] or {}) do
      io.write("-e ", name, "\n")
    end
    io.write("-e ", field.tshark, "\n")
  end
  os.exit(0)
end

-- tshark's text as what pkt:get gives: it prints numbers in the base that it likes, true as 1.
local function value(text, like)
  if math.type(like) == "integer" then
    return tonumber(text)
  elseif type(like) == "boolean" then
    return text == "1" or text == "True" or text == "0402" -- tcp.options.sack_perm is the option's bytes
  end
  return text
end

-- Where moontap and tshark differ, and why. `when` is told the packet, the field, ours (all = those inside too),
-- theirs, and tshark's list of protocols. Each must be met by some packet.
local DIFFERENCES <const> = {
  {
    why = "a header that does not fit is absent, where tshark shows what there is of it",
    when = function(c) return c.ours == nil and c.pkt.malformed end,
  },
  {
    why = "what an ICMP error quotes is payload, where tshark goes on into it",
    when = function(c) return c.ours == nil and c.protocols:find ":icmpv?6?:ipv?6?" end,
  },
  {
    why = "tshark calls the version of IPv6 ip.version too",
    when = function(c)
      local fours = 0
      for _, text in ipairs(c.theirs) do
        fours = fours + (text == "4" and 1 or 0)
      end
      return c.field.name == "ip.version" and fours < #c.theirs and fours == #c.all
    end,
  },
  {
    why = "an offset of fragments is in bytes, as Wireshark shows it, where tshark 4.0 prints units of 8",
    when = function(c) return c.field.name:find "frag_offset$" and tonumber(c.theirs[1]) * 8 == c.ours end,
  },
  {
    why = "of a source route ip.dst is what the header says, where tshark takes the route's last",
    when = function(c) return c.field.name == "ip.dst" and c.pkt.ip and c.pkt.ip.hdr_len > 20 and c.theirs[1] == "192.0.2.9" end,
  },
  {
    why = "tshark calls UDP-Lite's fields udp's",
    when = function(c) return c.ours == nil and c.protocols:find ":udplite" and c.field.name:find "^udp%." end,
  },
  {
    why = "tshark calls the ident of an extended echo (RFC 8335) icmp.ident too",
    when = function(c) return c.field.name == "icmp.ident" and c.ours == nil and c.pkt.icmp and c.pkt.icmp.type == 42 end,
  },
  {
    why = "vlan.etype of a tag in a tag is the outer one's, of which tshark shows the inner one's alone",
    when = function(c) return c.field.name == "vlan.etype" and c.pkt.vlan2 and tonumber(c.theirs[1]) == c.pkt.vlan2.etype end,
  },
  {
    why = "a query has the bits of a response too, which tshark leaves out",
    when = function(c)
      local bit <const> = c.field.name == "dns.aa" or c.field.name == "dns.ra" or c.field.name == "dns.ad" or c.field.name == "dns.rcode"
      return bit and not c.theirs[1] and c.pkt:get "dns.qr" == false
    end,
  },
  {
    why = "tshark gives the counts of an update (RFC 2136) other names",
    when = function(c) return c.field.name:find "^dns%...count" and not c.theirs[1] and c.pkt:get "dns.opcode" == 5 end,
  },
  {
    why = "dns is what UDP carries, where tshark finds it in TCP too",
    when = function(c) return c.ours == nil and c.protocols:find ":tcp:dns$" and c.field.name:find "^dns%." end,
  },
  {
    why = "the root's name is empty, where tshark says <Root>",
    when = function(c) return c.field.name == "dns.qname" and c.ours == "" and c.theirs[1] == "<Root>" end,
  },
  {
    why = "dots and unprintable bytes in a label are escaped, where tshark shows them as they are",
    when = function(c) return c.ours == "a\\046b.\\001\\255" end,
  },
  {
    why = "dhcp.parameters are bytes, where tshark lists their numbers",
    when = function(c)
      local numbers <const> = c.field.name == "dhcp.parameters" and c.ours and { c.ours:byte(1, -1) }
      return numbers and table.concat(numbers, " ") == table.concat(c.theirs, " ")
    end,
  },
  {
    why = "tshark counts acknowledged blocks from the connection's first sequence number",
    when = function(c) return c.field.name:find "^tcp%.sack_" and c.ours and c.ours - c.theirs[1] == 5000 end,
  },
  {
    why = "a neighbour advertisement that ends early has the flags that are there, where tshark shows none",
    when = function(c)
      local icmp <const> = c.pkt.icmpv6
      return c.ours ~= nil and not c.theirs[1] and icmp and icmp.type == 136 and not icmp.target
    end,
  },
  {
    why = "dhcp.chaddr is the first six bytes, whatever kind of address they are",
    when = function(c) return c.field.name == "dhcp.chaddr" and not c.theirs[1] and c.pkt.dhcp.htype ~= 1 end,
  },
  {
    why = "in PPTP's version of GRE tshark takes the key apart",
    when = function(c) return c.field.name == "gre.key" and not c.theirs[1] and c.pkt.gre.flags & 7 == 1 end,
  },
  {
    why = "four tunnels in each other are followed, where tshark follows more",
    when = function(c) return c.pkt.inner and c.pkt.inner.inner and c.pkt.inner.inner.inner and c.pkt.inner.inner.inner.inner end,
  },
  {
    why = "two VLAN tags are followed, where tshark follows more",
    when = function(c) return c.pkt.vlan2 and c.pkt.vlan2.etype == 0x8100 and (c.ours == nil or c.field.name == "vlan.id") end,
  },
  {
    why = "ARP in a cooked capture gets an Ethernet header, where tshark shows the cooked one",
    when = function(c) return c.capture:find "^sll" and c.field.name:find "^eth%." and c.pkt.arp and not c.theirs[1] end,
  },
}

local failed = 0

local function complain(format, ...)
  print(format:format(...))
  failed = failed + 1
end

local function explained(case)
  for _, difference in ipairs(DIFFERENCES) do
    if difference.when(case) then
      difference.met = (difference.met or 0) + 1
      return true
    end
  end
end

-- A line of tshark: its protocols, then for each field the list of its values.
local function split(line)
  local column <const> = (line .. "\t"):gmatch "([^\t]*)\t"
  local protocols <const> = column()
  local columns <const> = {}
  for i, field in ipairs(fields) do
    local values <const> = {}
    for _ = 0, #(ALSO[field.name] or {}) do
      for text in (column() or ""):gmatch "[^|]+" do
        values[#values + 1] = text
      end
    end
    columns[i] = values
  end
  return protocols, columns
end

local seen <const> = {}
local compared = 0

-- pkt's value of a field, and those of its second tag and of the packets inside it, from the outside in.
local function values_of(pkt, name)
  local values <const> = {}
  while pkt do
    values[#values + 1] = pkt:get(name)
    if name:find "^vlan%." then
      values[#values + 1] = pkt:get((name:gsub("vlan", "vlan2")))
    end
    pkt = pkt.inner
  end
  return values
end

local function compare(case)
  local ours <const>, theirs <const> = values_of(case.pkt, case.field.name), case.theirs
  case.ours, case.all = ours[1], ours
  if #ours > 0 then
    seen[case.field.name] = true
  end
  compared = compared + 1
  local first <const>, last <const> = theirs[1], theirs[#theirs]
  if #ours == 0 and not first
    or #ours > 0 and first and value(first, ours[1]) == ours[1] and (#ours == 1 or value(last, ours[#ours]) == ours[#ours])
    or explained(case)
  then
    return
  end
  complain("%s, packet %d: %s is %s, tshark says %s\n  %s\n  %s", case.capture, case.number, case.field.name,
    #ours > 0 and ("%s ... %s"):format(ours[1], ours[#ours]) or "absent",
    first and table.concat(theirs, ", ") or "nothing", case.protocols, case.pkt)
end

for _, capture in ipairs(captures.list()) do
  local lines <const> = io.lines(("%s/%s.txt"):format(..., capture.name))
  local number = 0
  for pkt in captures.packets(capture.path) do
    number = number + 1
    local protocols <const>, columns <const> = split(lines() or "")
    for i, field in ipairs(fields) do
      compare { capture = capture.name, number = number, pkt = pkt, protocols = protocols or "", field = field,
        theirs = columns[i] or {} }
    end
  end
  if lines() then
    complain("%s: tshark read more than %d packets", capture.name, number)
  end
end
for _, field in ipairs(fields) do
  if not seen[field.name] then
    complain("no capture has %s", field.name)
  end
end
for _, difference in ipairs(DIFFERENCES) do
  if not difference.met then
    complain("no packet needs the explanation that %s", difference.why)
  end
end
print(("%d values, %d complaints"):format(compared, failed))
for _, difference in ipairs(DIFFERENCES) do
  print(("%6d  %s"):format(difference.met or 0, difference.why))
end
os.exit(failed == 0 and 0 or 1)
