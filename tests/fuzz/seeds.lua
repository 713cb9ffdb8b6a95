-- Writes the fuzzers' seed corpora: small packets and filters named by what they show.
-- lua5.4 tests/fuzz/seeds.lua (from the project's root); the files are kept, run it after a change.
local ETH <const>, SUMS <const>, ROOM <const>, NET <const> = 1, 2, 4, 8

local function hex(text)
  return (text:gsub("%s", ""):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local function write(path, bytes)
  local file <close> = assert(io.open("tests/fuzz/corpus/" .. path, "wb"))
  file:write(bytes)
end

-- Checksums are left 0: the flag SUMS has them filled in.
local function ip4(proto, payload, options, frag, ttl)
  options = options or ""
  return string.pack(">BBI2I2I2BBI2", 0x45 + #options // 4, 0, 20 + #options + #payload, 1, frag or 0x4000, ttl or 64, proto, 0)
    .. hex "c0 00 02 01" .. hex "c0 00 02 07" .. options .. payload
end

local HOST6 <const> = hex "fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 09"
local OURS6 <const> = hex "fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 07"
local NODE6 <const> = hex "ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 07"
local ZERO6 <const> = ("\0"):rep(16)

local function ip6(proto, payload, src, dst, hlim)
  return string.pack(">I4I2BB", 0x60000000, #payload, proto, hlim or 64) .. (src or HOST6) .. (dst or OURS6) .. payload
end

local function eth(kind, payload, dst)
  return (dst or hex "02 00 00 00 00 02") .. hex "02 00 00 00 00 09" .. string.pack(">I2", kind) .. payload
end

local function arp(opcode, spa, tpa)
  return string.pack(">I2I2BBI2", 1, 0x800, 6, 4, opcode) .. hex "02 00 00 00 00 09" .. spa .. ("\0"):rep(6) .. tpa
end

local echo <const> = hex "08 00 00 00 12 34 00 01" .. "moontap!"
local echo6 <const> = hex "80 00 00 00 12 34 00 01" .. "moontap!"
local solicit <const> = hex "87 00 00 00 00 00 00 00" .. OURS6
local udp <const> = hex "c3 50 00 35 00 0c 00 00" .. "dns?"
local syn <const> = hex "c3 50 00 50 00 00 00 01 00 00 00 00 60 02 ff ff 00 00 00 00 02 04 05 b4"
local ack <const> = hex "c3 50 00 50 00 00 00 02 00 00 00 09 50 18 ff ff 00 00 00 00" .. "GET /"
local BROADCAST <const> = hex "ff ff ff ff ff ff"
local NODE_MAC <const> = hex "33 33 ff 00 00 07"

local function udp_to(port, payload)
  return string.pack(">I2I2I2I2", 50000, port, 8 + #payload, 0) .. payload
end

local vxlan <const> = udp_to(4789, hex "08 00 00 00 12 34 56 00" .. eth(0x800, ip4(1, echo)))
local query <const> = hex "12 34 01 00 00 01 00 00 00 00 00 00" .. "\7moontap\7example\0" .. hex "00 01 00 01"
local dhcp <const> = hex "01 01 06 00 12 34 56 78" .. ("\0"):rep(20) .. hex "02 00 00 00 00 09" .. ("\0"):rep(202)
  .. hex "63 82 53 63 35 01 01 ff"

local packets <const> = {
  vxlan_v4 = { 0, ip4(17, vxlan) },
  vxlan_in_vxlan = { 0, ip4(17, udp_to(4789, hex "08 00 00 00 00 00 01 00" .. eth(0x800, ip4(17, vxlan)))) },
  gre_v4 = { 0, ip4(47, hex "00 00 08 00" .. ip4(1, echo)) },
  gre_all_words = { 0, ip4(47, hex "b0 00 86 dd 00 00 00 00 00 00 00 07 00 00 00 01" .. ip6(58, echo6)) },
  gre_frame_v6 = { 0, ip6(47, hex "20 00 65 58 00 00 00 07" .. eth(0x800, ip4(1, echo))) },
  ip_in_ip = { 0, ip4(4, ip4(1, echo)) },
  ip6_in_ip6 = { 0, ip6(41, ip6(58, echo6)) },
  dns_query = { 0, ip4(17, udp_to(53, query)) },
  dns_response = { 0, ip4(17, udp_to(53, hex "12 34 85 80 00 01 00 02 00 00 00 00" .. "\4moon\7example\0" .. hex "00 1c 00 01"
    .. hex "c0 0c 00 05 00 01 00 00 00 3c 00 06" .. "\3tap\xc0\x11"
    .. hex "c0 2a 00 1c 00 01 00 00 00 3c 00 10 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01")) },
  dns_pointer_loop = { 0, ip4(17, udp_to(53, hex "12 34 01 00 00 01 00 00 00 00 00 00 c0 0c 00 01 00 01")) },
  tcp_all_options = { 0, ip4(6, hex "c3 50 00 50 00 00 00 01 00 00 00 00 b0 02 ff ff 00 00 00 00"
    .. hex "01 02 04 05 b4 03 03 07 04 02 08 0a 00 00 00 01 00 00 00 02 00 00 00 00") },
  router_advertisement = { 0, ip6(58, hex "86 00 00 00 40 c0 07 08 00 00 00 00 00 00 00 00 01 01 02 00 00 00 00 01"
    .. hex "05 01 00 00 00 00 05 dc 03 04 40 c0 00 00 0e 10 00 00 07 08 00 00 00 00" .. OURS6, nil, nil, 255) },
  sctp_v4 = { 0, ip4(132, hex "c3 50 00 50 de ad be ef 00 00 00 00 04 00 00 0c 00 01 00 08 01 02 03 04") },
  sctp_v6 = { 0, ip6(132, hex "c3 50 00 50 de ad be ef 00 00 00 00 04 00 00 04") },
  redirect_v4 = { 0, ip4(1, hex "05 01 00 00 c0 00 02 09" .. ip4(17, udp)) },
  dhcp_request = { 0, ip4(17, udp_to(67, dhcp:sub(1, -5)
    .. hex "35 01 03 32 04 c0 00 02 09 0c 04" .. "moon" .. hex "3d 07 01 02 00 00 00 00 09 ff")) },
  dhcp_discover = { 0, ip4(17, udp_to(67, dhcp)) },
  echo_v4 = { 0, ip4(1, echo) },
  echo_v4_eth = { ETH, eth(0x800, ip4(1, echo)) },
  echo_v4_vlan = { ETH, eth(0x8100, hex "00 05 08 00" .. ip4(1, echo)) },
  echo_v4_qinq = { ETH, eth(0x88a8, hex "00 05 81 00 00 07 08 00" .. ip4(1, echo)) },
  echo_v4_record_route = { 0, ip4(1, echo, hex "07 0b 04 00 00 00 00 00 00 00 00 00") },
  echo_v4_timestamp = { 0, ip4(1, echo, hex "44 0c 05 01 00 00 00 00 00 00 00 00") },
  echo_v4_source_route = { 0, ip4(1, echo, hex "83 07 04 c0 00 02 07 00") },
  echo_v4_router_alert = { 0, ip4(1, echo, hex "94 04 00 00") },
  echo_v4_first_fragment = { 0, ip4(1, echo, nil, 0x2000) },
  echo_v4_later_fragment = { 0, ip4(1, "later fragment..", nil, 0x0002) },
  echo_v4_padded = { ETH, eth(0x800, ip4(1, echo)) .. ("\0"):rep(18) },
  echo_v4_ttl_0 = { 0, ip4(1, echo, nil, nil, 0) },
  echo_v4_net = { NET, ip4(1, echo) },
  echo_v6 = { 0, ip6(58, echo6) },
  echo_v6_eth = { ETH, eth(0x86dd, ip6(58, echo6)) },
  echo_v6_hop_by_hop = { 0, ip6(0, hex "3a 00 05 02 00 00 01 00" .. echo6) },
  echo_v6_destination_options = { 0, ip6(60, hex "3a 00 01 04 00 00 00 00" .. echo6) },
  echo_v6_routing_header = { 0, ip6(43, hex "3a 00 04 00 00 00 00 00" .. echo6) },
  ipv6_atomic_fragment = { 0, ip6(44, hex "3a 00 00 00 00 00 00 01" .. echo6) },
  ipv6_first_fragment = { 0, ip6(44, hex "3a 00 00 01 00 00 00 01" .. echo6) },
  arp_request = { ETH, eth(0x806, arp(1, hex "c0 00 02 09", hex "c0 00 02 07"), BROADCAST) },
  arp_probe = { ETH, eth(0x806, arp(1, hex "00 00 00 00", hex "c0 00 02 07"), BROADCAST) },
  arp_reply = { ETH, eth(0x806, arp(2, hex "c0 00 02 09", hex "c0 00 02 07")) },
  ns_question = { ETH | ROOM, eth(0x86dd, ip6(58, solicit .. hex "01 01 02 00 00 00 00 09", nil, NODE6, 255), NODE_MAC) },
  ns_dad = { ETH | ROOM, eth(0x86dd, ip6(58, solicit, ZERO6, NODE6, 255), NODE_MAC) },
  ns_unicast_no_room = { ETH, eth(0x86dd, ip6(58, solicit, nil, nil, 255)) },
  udp_v4 = { 0, ip4(17, udp) },
  udp_v6 = { 0, ip6(17, udp) },
  tcp_syn_v4 = { 0, ip4(6, syn) },
  tcp_ack_v4_options = { 0, ip4(6, ack, hex "94 04 00 00") },
  tcp_ack_v6_eth = { ETH, eth(0x86dd, ip6(6, ack)) },
  unreachable_v4 = { 0, ip4(1, hex "03 01 00 00 00 00 00 00" .. ip4(17, udp)) },
}

local filters <const> = {
  empty = "",
  echo_request = "icmp[icmptype] = icmp-echo",
  host_and_port = "src host 192.0.2.1 and tcp dst port 80",
  net_mask = "net 192.0.2.0 mask 255.255.255.0",
  net_short = "net 10.1",
  prefix_v6 = "ip6 net fd00::/64 and not port 53",
  portrange = "udp portrange 1024-2048 or sctp",
  mac = "ether src host 02:00:00:00:00:01",
  mac_dashes = "ether host 02-00-00-00-00-01",
  vlan_tagged = "vlan 5 and ip",
  length = "greater 100 and less 1500 and len != 7",
  arithmetic = "ip[8] * 2 - 1 > 0x20 && (ip[0] & 0xf) << 2 = 20",
  tcp_flags = "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
  protochain = "ip6 protochain 58",
  ip_proto_number = "ip proto 17",
  name_of_a_host = "host localhost",
  name_of_a_service = "port http",
  unknown_word = "icmpv4",
  unbalanced = "((ip",
}

-- Lists of layers by their numbers in layers.def, less one; 16: fields follow; 32: options; then a payload.
local function list(...)
  local out <const> = { string.char(select("#", ...) - 1) }
  for _, layer in ipairs { ... } do out[#out + 1] = string.char(layer, 0) end
  return table.concat(out) .. "a payload, and what is done to it\20\1another"
end

local lists <const> = {
  arp = list(0, 3), icmp = list(4, 6), icmpv6_eth = list(0, 5, 7), tags = list(0, 1, 2, 5, 9), sctp = list(5, 10),
  vxlan = list(4, 8, 12, 0, 4, 8), gre = list(0, 5, 11, 0, 1, 4, 9), ip_in_ip = list(4, 5, 4, 8), dns = list(4, 8, 13),
  dhcp = list(0, 4, 8, 14), fields = "\1\4\16\3\2\1\1\7\7\8\16\2\0\0\7\1\0\9payload", order = list(9, 4),
  options = "\1\4\32\1\30\2ab\9\48\1\5\5\180\2\253\3abc\254\0a payload",
  extensions = "\1\5\32\2\30\2\0ab\62\0\1\8\0a payload", records = "\2\4\0\8\0\13\32\1\1\5a payload",
  dhcp_options = "\2\4\0\8\0\14\32\2\53\1\1\12\4moon a payload",
}

for name, bytes in pairs(lists) do write("build/" .. name, bytes) end
for name, packet in pairs(packets) do
  write("packet/" .. name, string.char(packet[1] | SUMS | ROOM * 2) .. packet[2])
  write("reflect/" .. name, string.char(packet[1] | SUMS) .. packet[2])
end
write("reflect/reject_udp_admin_prohibited", string.char(SUMS | 4 << 4) .. packets.udp_v4[2])
write("reflect/reject_udp_too_big", string.char(SUMS | 5 << 4) .. packets.udp_v6[2])
write("reflect/reject_tcp_reset", string.char(SUMS | 7 << 4) .. packets.tcp_syn_v4[2])
write("reflect/checksum_wrong", "\0" .. packets.echo_v4[2])
write("packet/empty", "\0")
write("packet/truncated_ip", "\0" .. packets.echo_v4[2]:sub(1, 19))
for name, text in pairs(filters) do
  local first = (name:find "^mac" or name:find "^vlan") and ETH or 0

  write("filter/" .. name, string.char(first) .. text .. "\n" .. (first == ETH and packets.echo_v4_eth or packets.echo_v4)[2])
end

-- Both formats, both byte orders, every link type; packets of all kinds are the packet fuzzer's.
local capture <const> = dofile "tests/spec/capture_bytes.lua"
local cooked <const> = hex "00 04 00 01 00 06 02 00 00 00 00 09 00 00 08 00"
local cooked_arp <const> = hex "00 01 00 01 00 06 02 00 00 00 00 09 00 00 08 06"
local cooked2 <const> = hex "08 00 00 00 00 00 00 03 00 01 00 06 02 00 00 00 00 09 00 00"

local function interfaces(order)
  return capture.section(order) .. capture.interface(order, 1, { { 2, "eth0" }, { 9, "\9" } })
    .. capture.interface(order, 101, { { 2, "tun0" }, { 9, "\x8a" }, { 14, string.pack(order .. "i8", 9) } }, 64)
end

local function whole(order)
  return interfaces(order)
    .. capture.packet(order, 0, 1700000000123456789, capture.eth, { { 2, string.pack(order .. "I4", 1) }, { 1, "hello" } })
    .. capture.packet(order, 1, 5, capture.ip4:sub(1, 30), nil, 36)
end

local captures <const> = {
  pcap_eth = capture.pcap("<", 1, { { capture.eth, sec = 1700000000 }, { capture.eth:sub(1, 20), original = 50 } }),
  pcap_raw_nano = capture.pcap(">", 101, { { capture.ip4 }, { capture.ip6 } }, true),
  pcap_null = capture.pcap(">", 0, { { "\2\0\0\0" .. capture.ip4 }, { "\0\0\0\x1e" .. capture.ip6 } }),
  pcap_loop = capture.pcap("<", 108, { { "\0\0\0\2" .. capture.ip4 } }),
  pcap_sll = capture.pcap("<", 113, { { cooked .. capture.ip4 }, { cooked_arp .. capture.arp } }),
  pcap_sll2 = capture.pcap("<", 276, { { cooked2 .. capture.ip4 } }),
  pcap_wifi = capture.pcap("<", 105, { { "radio" } }),
  pcapng_little = whole "<",
  pcapng_big = whole ">",
  pcapng_two_sections = whole "<" .. whole ">",
  pcapng_simple_and_old = interfaces "<" .. capture.block("<", 3, string.pack("<I4", 36) .. capture.ip4)
    .. capture.block("<", 2, string.pack("<I2I2I4I4I4I4", 1, 9, 0, 1000000, 36, 36) .. capture.ip4),
  pcapng_other_blocks = interfaces "<" .. capture.block("<", 5, "statistics..") .. capture.block("<", 0x80000001, "a secret"),
  pcapng_cut = whole("<"):sub(1, -9),
  pcapng_no_interface = capture.section "<" .. capture.packet("<", 7, 5, capture.ip4),
}

for name, bytes in pairs(captures) do write("capfile/" .. name, bytes) end

-- A program is any bytes: some that are the same each time.
local function program(seed)
  local bytes <const> = {}
  for i = 1, 400 do
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    bytes[i] = string.char(seed >> 16 & 0xff)
  end
  return table.concat(bytes)
end

for i, name in ipairs { "arp_request", "echo_v4_qinq", "echo_v6_hop_by_hop", "ns_question", "tcp_syn_v4", "udp_v4" } do
  write("match/" .. name, string.char(packets[name][1], #packets[name][2]) .. packets[name][2] .. program(i))
end
