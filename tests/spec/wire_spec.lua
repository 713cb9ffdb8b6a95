-- What is built, edited and fuzzed, in tshark's eyes: every checksum good, nothing malformed.
local mt <const> = require "moontap"

local STATUS <const> = { "ip.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status", "udp.checksum.status",
  "tcp.checksum.status", "sctp.checksum.status", "gre.checksum.status" }

-- The packets that are shown to tshark, and what each is.
local shown <const>, names <const> = {}, {}

local function show(pkt, name)
  if not pkt.eth then
    pkt = mt.packet { { "eth", type = pkt.ip and 0x0800 or 0x86dd }, pkt:bytes() }
  end
  shown[#shown + 1] = pkt:bytes()
  names[#names + 1] = ("%s: %s"):format(name, pkt)
end

-- Bytes of the classic pcap format, Ethernet.
local function pcap(packets)
  local out <const> = { string.pack("<I4I2I2I4I4I4I4", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1) }
  for i, bytes in ipairs(packets) do
    out[#out + 1] = string.pack("<I4I4I4I4", i, 0, #bytes, #bytes)
    out[#out + 1] = bytes
  end
  return table.concat(out)
end

local function tshark(packets)
  local path <const> = os.tmpname()
  local file <close> = assert(io.open(path, "wb"))
  file:write(pcap(packets))
  file:close()
  local command <const> = { "tshark -n -r", path, "-T fields -E separator=, -E aggregator=/s -e frame.number -e _ws.malformed" }
  command[#command + 1] = "-o 'sctp.checksum:CRC 32c' -o tcp.desegment_tcp_streams:FALSE"
  for _, name in ipairs { "ip", "tcp", "udp" } do
    command[#command + 1] = ("-o %s.check_checksum:TRUE"):format(name)
  end
  for _, name in ipairs(STATUS) do command[#command + 1] = "-e " .. name end
  local pipe <close> = assert(io.popen(table.concat(command, " ") .. " 2>/dev/null"))
  local lines <const> = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  os.remove(path)
  return lines
end

-- Every stack of layers there is, each with a tag or two in front too.
local function stacks()
  local list <const> = { { { "eth" }, { "arp" } }, { { "eth" }, { "arp", opcode = 2 } } }
  local function add(...)
    list[#list + 1] = { ... }
    list[#list + 1] = { { "eth" }, ... }
    list[#list + 1] = { { "eth" }, { "vlan", id = 5 }, ... }
    list[#list + 1] = { { "eth" }, { "vlan", id = 5 }, { "vlan", id = 6 }, ... }
  end
  for _, network in ipairs { "ip", "ipv6" } do
    add({ network }, { "udp" }, "datagram")
    add({ network }, { "udp" }, "odd")
    add({ network }, { "tcp" })
    add({ network }, { "tcp", ack_flag = true, psh = true }, "segment")
    add({ network }, "payload")
    add({ network }, { "sctp", vtag = 7 }, "\4\0\0\12\0\1\0\8beat")
    add({ network }, { "udp" }, { "dns", id = 7, qdcount = 1 }, "\7example\3org\0\0\1\0\1")
    add({ network }, { "gre" }, { "ip" }, { "udp" }, "datagram")
    add({ network }, { "gre", key = 7, seq = 1 }, { "ipv6" }, { "tcp" }, "segment")
    add({ network }, { "gre" }, { "eth" }, { "vlan" }, { "ip" }, { "icmp" }, "payload")
    add({ network }, { "udp" }, { "vxlan", vni = 5 }, { "eth" }, { "ipv6" }, { "icmpv6" }, "payload")
    add({ network }, { "ip" }, { "icmp" }, "payload")
    add({ network }, { "ipv6" }, { "udp" }, "datagram")
  end
  add({ "ip" }, { "udp" }, { "dhcp", xid = 7 }, "\53\1\1\255")
  add({ "ip" }, { "icmp", ident = 1, seq = 1 }, "payload")
  add({ "ip" }, { "icmp", type = 0 }, "payload")
  add({ "ipv6" }, { "icmpv6", ident = 1, seq = 1 }, "payload")
  add({ "ipv6" }, { "icmpv6", type = 129 }, "payload")
  add({ "ipv6" }, { "icmpv6", type = 133 })
  add({ "ipv6" }, { "icmpv6", type = 134 })
  add({ "ipv6" }, { "icmpv6", type = 135, target = "2001:db8::7" })
  add({ "ipv6" }, { "icmpv6", type = 136, target = "2001:db8::7" })
  return list
end

local function has_payload(stack)
  return type(stack[#stack]) == "string"
end

local EDITS <const> = { ["eth.src"] = "02:00:00:00:00:77", ["vlan.id"] = 77, ["vlan2.priority"] = 7, ["arp.src_ip"] = "192.0.2.9",
  ["ip.src"] = "203.0.113.9", ["ip.dst"] = "203.0.113.10", ["ip.ttl"] = 9, ["ip.id"] = 4711, ["ip.df"] = false,
  ["ip.dscp"] = 46, ["ipv6.src"] = "2001:db8::9", ["ipv6.dst"] = "2001:db8::a", ["ipv6.flow"] = 0x12345,
  ["ipv6.hlim"] = 255, ["icmp.seq"] = 9, ["icmpv6.ident"] = 9, ["icmpv6.target"] = "2001:db8::9", ["udp.srcport"] = 50000,
  ["udp.dstport"] = 50001, ["tcp.srcport"] = 50000, ["tcp.seq"] = 0xffffffff, ["tcp.flags"] = 0x10, ["tcp.window"] = 1,
  ["sctp.vtag"] = 9, ["gre.key"] = 9, ["vxlan.vni"] = 9, ["dns.id"] = 9, ["dhcp.xid"] = 9, ["inner.ip.src"] = "203.0.113.9",
  ["inner.ipv6.dst"] = "2001:db8::9", ["inner.udp.srcport"] = 50000, ["inner.tcp.seq"] = 9, ["inner.icmp.seq"] = 9,
  ["inner.icmpv6.seq"] = 9, ["inner.vlan.id"] = 9, ["inner.ip.ttl"] = 9 }

local function show_edits(stack, name)
  for field, value in pairs(EDITS) do
    local pkt <const> = mt.packet(stack)
    if pkt:get(field) ~= nil then show(pkt:set(field, value), name .. " " .. field) end
  end
  local last <const> = stack[#stack - 1]
  if has_payload(stack) and not mt.packet(stack).inner and last[1] ~= "sctp" and last[1] ~= "dns" and last[1] ~= "dhcp" then
    for _, payload in ipairs { "", "x", ("xy"):rep(100), ("xyz"):rep(401) } do
      local pkt <const> = mt.packet(stack)
      pkt.payload = payload
      show(pkt, name .. " payload")
    end
  end
  local pkt <const> = mt.packet(stack)
  if pkt.eth and not pkt.vlan2 then show(pkt:copy():push("vlan", { id = 99 }), name .. " push vlan") end
  if pkt.vlan then show(pkt:copy():pop "vlan", name .. " pop vlan") end
  if pkt.vlan2 then show(pkt:copy():pop "vlan2", name .. " pop vlan2") end
end

describe("tshark", function()
  it("finds every checksum good and nothing malformed in what is built, edited and fuzzed", function()
    if not os.execute "command -v tshark >/dev/null" then
      pending "missing: Debian package tshark"
      return
    end
    local list <const> = stacks()
    for i, stack in ipairs(list) do
      show(mt.packet(stack), "built")
      show_edits(stack, "edited")
      for seed = 1, 200 // #list + 1 do show(mt.fuzz(mt.packet(stack), seed * #list + i), "fuzzed") end
    end
    local bad <const> = mt.packet { { "eth" }, { "ip", checksum = 1 }, { "udp", checksum = 1 }, "both sums are wrong" }
    show(bad, "to see that tshark looks")
    local lines <const> = tshark(shown)
    assert.equal(#shown, #lines)
    assert.is_true(#lines > 800)
    for i = 1, #lines - 1 do
      -- Its number, no word of being malformed, and 1 (good) for each checksum there is.
      assert.is_truthy(lines[i]:match "^%d+,,[1 ,]*$", names[i] .. "\n" .. lines[i])
    end
    assert.equal(#lines .. ",,0,,,0,,,", lines[#lines])
  end)
end)
