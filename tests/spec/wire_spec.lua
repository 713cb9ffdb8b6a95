-- Every stack of layers, built, edited and fuzzed, for tshark to look at when all is done (recorder.lua).
local mt <const> = require "moontap"
local recorder <const> = require "tests.spec.recorder"

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
    add({ network }, { "udp" }, { "dns", id = 7, questions = { { name = "example.org" } } })
    add({ network }, { "udp" }, { "dns", questions = { { name = "example.org" } }, answers = { { data = "192.0.2.1" },
      { name = "mail.example.org", type = "MX", data = "10 example.org" } } })
    add({ network }, { "tcp", mss = 1460, sack_permitted = true, wscale = 7, ts_val = 1, ts_ecr = 2 }, "segment")
    add({ network }, { "gre" }, { "ip", router_alert = 0 }, { "tcp", ack_flag = true, sack_left = 1, sack_right = 2 })
    add({ network }, { "gre" }, { "ip" }, { "udp" }, "datagram")
    add({ network }, { "gre", key = 7, seq = 1 }, { "ipv6" }, { "tcp" }, "segment")
    add({ network }, { "gre" }, { "eth" }, { "vlan" }, { "ip" }, { "icmp" }, "payload")
    add({ network }, { "udp" }, { "vxlan", vni = 5 }, { "eth" }, { "ipv6" }, { "icmpv6" }, "payload")
    add({ network }, { "ip" }, { "icmp" }, "payload")
    add({ network }, { "ipv6" }, { "udp" }, "datagram")
  end
  add({ "ip" }, { "udp" }, { "dhcp", xid = 7, message_type = "discover", hostname = "moon", requested_ip = "192.0.2.9" })
  add({ "ip" }, { "udp" }, { "dhcp", op = "reply", message_type = "ack", server_id = "192.0.2.1", lease_time = 3600 })
  add({ "ip", router_alert = 0 }, { "udp" }, "datagram")
  local router_alert <const>, limit <const> = { name = "router-alert", bytes = "\0\0" },
    { name = "tunnel-limit", bytes = "\4", header = "destination" }
  add({ "ipv6", options = { router_alert } }, { "udp" }, "datagram")
  add({ "ipv6", options = { router_alert, limit }, frag_id = 7 }, { "tcp" }, "segment")
  add({ "ipv6", options = { limit } }, { "icmpv6", ident = 1 }, "payload")
  add({ "ipv6", options = { router_alert } }, { "icmpv6", type = 135, target = "2001:db8::7", source_lla = "02:00:00:00:00:07" })
  add({ "ipv6" }, { "icmpv6", type = 134, prefix = "2001:db8::", prefix_len = 64, opt_mtu = 1500 })
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
  ["ipv6.hlim"] = 255, ["ip.router_alert"] = 7, ["tcp.mss"] = 536, ["tcp.ts_val"] = 9, ["dhcp.lease_time"] = 9,
  ["dns.qtype"] = "MX", ["dns.ttl"] = 9,
  ["icmpv6.source_lla"] = "02:00:00:00:00:09", ["icmpv6.valid"] = 9, ["ipv6.frag_id"] = 9,
  ["icmp.seq"] = 9, ["icmpv6.ident"] = 9, ["icmpv6.target"] = "2001:db8::9", ["udp.srcport"] = 50000,
  ["udp.dstport"] = 50001, ["tcp.srcport"] = 50000, ["tcp.seq"] = 0xffffffff, ["tcp.flags"] = 0x10, ["tcp.window"] = 1,
  ["sctp.vtag"] = 9, ["gre.key"] = 9, ["vxlan.vni"] = 9, ["dns.id"] = 9, ["dhcp.xid"] = 9, ["inner.ip.src"] = "203.0.113.9",
  ["inner.ipv6.dst"] = "2001:db8::9", ["inner.udp.srcport"] = 50000, ["inner.tcp.seq"] = 9, ["inner.icmp.seq"] = 9,
  ["inner.icmpv6.seq"] = 9, ["inner.vlan.id"] = 9, ["inner.ip.ttl"] = 9 }

local function make_edits(stack)
  for field, value in pairs(EDITS) do
    local pkt <const> = mt.packet(stack)
    if pkt:get(field) ~= nil then pkt:set(field, value) end
  end
  local last <const> = stack[#stack - 1]
  if has_payload(stack) and not mt.packet(stack).inner and last[1] ~= "sctp" and last[1] ~= "dns" and last[1] ~= "dhcp" then
    for _, payload in ipairs { "", "x", ("xy"):rep(100), ("xyz"):rep(401) } do
      mt.packet(stack).payload = payload
    end
  end
  local pkt <const> = mt.packet(stack)
  if pkt.eth and not pkt.vlan2 then pkt:copy():push("vlan", { id = 99 }) end
  if pkt.vlan then pkt:copy():pop "vlan" end
  if pkt.vlan2 then pkt:copy():pop "vlan2" end
end

describe("every stack of layers", function()
  it("is built, edited and fuzzed", function()
    local list <const> = stacks()
    for i, stack in ipairs(list) do
      mt.packet(stack)
      make_edits(stack)
      for seed = 1, 200 // #list + 1 do mt.fuzz(mt.packet(stack), seed * #list + i) end
    end
    assert.is_true(recorder.count() > 800)
  end)
end)
