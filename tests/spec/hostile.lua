-- Frames that lie, and the answer that each deserves by the RFCs. Built and summed in Lua
-- (frames.lua), so that nothing under test is trusted.
--
-- dofile "hostile.lua" gives { cases =, ... }. A case is
--   name    what it shows, with the RFC that decides
--   frame   the bytes; `first` says of which layer: "eth" or "ip"
--   answer  "silent", "echo", "arp" or "na"
--   expect  the whole answer as a hexadecimal pattern; "." stands for a digit that cannot be known
--   drop    the counter that must move ("policy": not ours to have an opinion on)
--   grows   true where the answer may be longer than the request (an advertisement's option)
--   memory  true where no kernel device can carry the frame
local pack <const> = string.pack
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local K <const>, R <const>, addr4 <const>, hex <const>, sum <const>, with <const> =
  frames.K, frames.R, frames.addr4, frames.hex, frames.sum, frames.with
local ip4 <const>, icmp <const>, ip6 <const>, icmp6 <const>, sum6 <const>, eth <const>, arp <const> =
  frames.ip4, frames.icmp, frames.ip6, frames.icmp6, frames.sum6, frames.eth, frames.arp

local hostile <const> = {}

local OTHER_MAC <const>, BROADCAST <const> = "\x02\0\0\0\0\x09", ("\xff"):rep(6)
local ZERO6 <const> = ("\0"):rep(16)
local ALL_NODES <const> = "\xff\x02" .. ("\0"):rep(13) .. "\x01"

local cases <const> = {}

local function add(case)
  case.first = case.first or "eth"
  cases[#cases + 1] = case
end

-- A datagram both as a frame and, without its Ethernet header, as a packet of an L3 port.
local function add_both(type, case, datagram, answer, drop)
  add(with(case, { frame = eth(type, datagram), answer = answer and "echo" or "silent", drop = drop,
    expect = answer and hex(eth(type, "", { to = K.mac, from = R.mac })) .. answer }))
  add(with(case, { name = case.name .. " [ip]", first = "ip", frame = datagram,
    answer = answer and "echo" or "silent", drop = drop, expect = answer }))
end

-- An IPv4 echo request; its answer has the addresses exchanged, TTL 64, no options unless told.
local function echo4(name, t, drop)
  local answer
  if not drop then
    answer = hex(ip4(with(t, { src = t.dst or R.ip, dst = t.src or K.ip, ttl = 64, options = t.answer_options or "" }),
      icmp(with(t, { type = 0 }))))
    if t.pattern then answer = t.pattern(answer) end
  end
  add_both(0x0800, { name = name }, ip4(t, icmp(t)) .. (t.trailer or ""), answer, drop)
end

local function silent4(name, t, drop) echo4(name, t, drop or "policy") end

local function echo6(name, t, drop)
  local answer
  if not drop then
    answer = hex(ip6(with(t, { src = t.dst or R.ip6, dst = t.src or K.ip6, hlim = 64, chain = "", nxt = 58 }),
      icmp6(with(t, { type = 129, src = t.dst or R.ip6, dst = t.src or K.ip6 }))))
    if t.pattern then answer = t.pattern(answer) end
  end
  add_both(0x86dd, { name = name }, ip6(t, icmp6(t)) .. (t.trailer or ""), answer, drop)
end

local function silent6(name, t, drop) echo6(name, t, drop or "policy") end

local function raw4(name, datagram, drop)
  add_both(0x0800, { name = name }, datagram, nil, drop)
end

-- Frames whose Ethernet part is the point.
local function frame(name, bytes, drop, more)
  add(with(more, { name = name, frame = bytes, answer = "silent", drop = drop }))
end

local GOOD4 <const>, GOOD6 <const> = ip4({}, icmp {}), ip6({}, icmp6 {})
local ANSWER4 <const> = ip4({ src = R.ip, dst = K.ip }, icmp { type = 0 })
local ANSWER6 <const> = ip6({ src = R.ip6, dst = K.ip6 }, icmp6 { type = 129, src = R.ip6, dst = K.ip6 })

-- Echo requests that must be answered (RFC 792, RFC 1122 3.2.2.6).
echo4("v4 echo", {})
echo4("v4 echo without data", { data = "" })
echo4("v4 echo of one byte", { data = "x" })
echo4("v4 echo of odd length", { data = ("abc"):rep(33) })
echo4("v4 echo that fills an Ethernet frame", { data = ("\xa5"):rep(1472) })
echo4("v4 echo code 1: data stays, code stays", { code = 1 })
echo4("v4 echo code 255", { code = 255 })
echo4("v4 echo TTL 0 (1122 3.2.1.7)", { ttl = 0 })
echo4("v4 echo TTL 1 (1122 3.2.1.7)", { ttl = 1 })
echo4("v4 echo TTL 255", { ttl = 255 })
echo4("v4 echo with DF", { frag = 0x4000 })
echo4("v4 echo with a TOS (1122 3.2.1.6: sent back)", { tos = 0xb8 })
echo4("v4 echo ident 0 seq 0", { ident = 0, seq = 0 })
echo4("v4 echo ident ffff seq ffff", { ident = 0xffff, seq = 0xffff })
echo4("v4 echo from another network", { src = addr4 "198.51.100.7" })
echo4("v4 echo from a neighbour that we answer for too", { src = addr4 "192.0.2.50" })
echo4("v4 echo to the last host address", { dst = addr4 "192.0.2.254" })
for _, checksum in ipairs { 0x0000, 0x0700, 0x07ff, 0x0800, 0xf700, 0xf7ff, 0xf8ff, 0xf900, 0xfeff } do
  -- 0x0800 + ident = ~checksum
  local ident = (~checksum & 0xffff) - 0x0800
  if ident < 0 then ident = ident + 0xffff end
  echo4(("v4 echo whose checksum is %04x"):format(checksum), { data = "", seq = 0, ident = ident })
end
echo4("v4 echo, checksum ffff for 0000 (1624)", { data = "", seq = 0, ident = 0xf7ff, icmp_checksum = 0xffff,
  pattern = function(answer) return answer:sub(1, 44) .. "0800" .. answer:sub(49) end })

-- Padding is no part of the datagram (RFC 894, RFC 1122 2.3.3).
echo4("v4 echo padded to 60 bytes", { data = "", trailer = ("\0"):rep(18) })
echo4("v4 echo with one byte behind it", { trailer = "!" })
echo4("v4 echo with a kilobyte behind it", { trailer = ("\xee"):rep(1000) })
echo6("v6 echo padded", { data = "", trailer = ("\0"):rep(6) })
echo6("v6 echo with 300 bytes behind it", { trailer = ("\xee"):rep(300) })

-- Versions, header lengths, total lengths, truncations (RFC 791 3.1, RFC 1122 3.2.1.1).
for _, version in ipairs { 0, 5, 6, 15 } do
  frame(("v4 version %d behind type 0800"):format(version), eth(0x0800, ip4({ version = version }, icmp {})), "malformed")
end
for _, version in ipairs { 0, 4, 5, 7 } do
  frame(("v6 version %d behind type 86dd"):format(version), eth(0x86dd, ip6({ version = version }, icmp6 {})), "malformed")
end
for _, version in ipairs { 0, 5, 15 } do
  add { name = ("version %d [ip]"):format(version), first = "ip", frame = ip4({ version = version }, icmp {}),
    answer = "silent", drop = "malformed" }
end
for ihl = 0, 4 do
  silent4(("v4 IHL %d"):format(ihl), { ihl = ihl }, "malformed")
end
silent4("v4 IHL 15 beyond the packet", { ihl = 15, data = "" }, "malformed")
silent4("v4 IHL 6 and a total length of 20", { ihl = 6, total = 20 }, "malformed")
silent4("v4 total length 0", { total = 0 }, "malformed")
silent4("v4 total length 19", { total = 19 }, "malformed")
silent4("v4 total length 20: no ICMP", { total = 20 }, "malformed")
silent4("v4 total length 27: ICMP of 7 bytes", { total = 27 }, "malformed")
silent4("v4 total length one more than there is", { total = 37 }, "malformed")
silent4("v4 total length 65535", { total = 65535 }, "malformed")
silent4("v4 total length cuts the data: the sum cannot fit", { total = 30, data = "\1\2\3\4\5\6" }, "bad_checksum")
for _, len in ipairs { 1, 19, 20, 27 } do
  add { name = ("v4 cut after %d bytes [ip]"):format(len), first = "ip", frame = GOOD4:sub(1, len), answer = "silent",
    drop = "malformed" }
end
for _, len in ipairs { 0, 1, 19, 20, 27, 35 } do
  frame(("v4 cut after %d bytes"):format(len), eth(0x0800, GOOD4:sub(1, len)), "malformed")
end
for _, len in ipairs { 1, 6, 13 } do
  frame(("an Ethernet header of %d bytes"):format(len), eth(0x0800, GOOD4):sub(1, len), "malformed", { memory = true })
end
for _, len in ipairs { 0, 39, 40, 47, 55 } do
  frame(("v6 cut after %d bytes"):format(len), eth(0x86dd, GOOD6:sub(1, len)), "malformed")
end

-- Checksums (RFC 1122 3.2.1.2, 3.2.2; RFC 4443 2.3).
silent4("v4 header checksum one bit off", { flip = 1 }, "bad_checksum")
silent4("v4 header checksum 0", { checksum = 0 }, "bad_checksum")
silent4("v4 header checksum ffff", { checksum = 0xffff }, "bad_checksum")
silent4("v4 ICMP checksum one bit off", { icmp_flip = 0x8000 }, "bad_checksum")
silent4("v4 ICMP checksum 0 for none", { icmp_checksum = 0 }, "bad_checksum")
silent4("v4 ICMP checksum of the reply", { icmp_checksum = ~sum(icmp { type = 0, icmp_checksum = 0 }) & 0xffff },
  "bad_checksum")
raw4("v4 last data byte changed on the way", ip4({}, icmp({}):sub(1, -2) .. "?"), "bad_checksum")
silent6("v6 ICMP checksum one bit off", { icmp_flip = 1 }, "bad_checksum")
silent6("v6 ICMP checksum 0 for none", { icmp_checksum = 0 }, "bad_checksum")
silent6("v6 ICMP checksum without the pseudo-header",
  { icmp_checksum = ~sum(icmp { type = 128, icmp_checksum = 0 }) & 0xffff }, "bad_checksum")
silent6("v6 ICMP checksum for another destination", { sum_dst = ALL_NODES }, "bad_checksum")

-- IPv4 options (RFC 791 3.1, RFC 1122 3.2.1.8 and 3.2.2.6).
local function option(kind, ...)
  local rest <const> = table.concat { ... }
  return pack("BB", kind, #rest + 2) .. rest
end
local function padded(options)
  return options .. ("\0"):rep(-#options % 4)
end
local function route(pointer, slots) return option(7, pack("B", pointer), slots) end
local function stamp(pointer, flags, slots) return option(68, pack("BB", pointer, flags), slots) end

echo4("v4 options: four NOPs", { options = "\1\1\1\1" })
echo4("v4 options: forty NOPs", { options = ("\1"):rep(40) })
echo4("v4 options: garbage behind the end of the list", { options = "\0\x44\xff\xff" })
echo4("v4 options: router alert is ignored", { options = option(148, "\0\0") })
echo4("v4 options: an unknown one is ignored (1122 3.2.1.8)", { options = option(0x99, "\1\2") })
echo4("v4 options: security is ignored", { options = padded(option(130, ("\0"):rep(9))) })
echo4("v4 record route, empty: our address is recorded", { options = padded(route(4, ("\0"):rep(36))),
  answer_options = padded(route(8, R.ip .. ("\0"):rep(32))) })
echo4("v4 record route, one used", { options = padded(route(8, K.ip .. ("\0"):rep(4))),
  answer_options = padded(route(12, K.ip .. R.ip)) })
echo4("v4 record route behind a NOP", { options = "\1" .. route(4, ("\0"):rep(4)),
  answer_options = "\1" .. route(8, R.ip) })
echo4("v4 record route, full: goes back as it came", { options = padded(route(8, K.ip)),
  answer_options = padded(route(8, K.ip)) })
echo4("v4 record route without slots", { options = padded(route(4, "")), answer_options = padded(route(4, "")) })
silent4("v4 record route pointer 0", { options = padded(route(0, ("\0"):rep(8))) }, "malformed")
silent4("v4 record route pointer 3", { options = padded(route(3, ("\0"):rep(8))) }, "malformed")
silent4("v4 record route with room for three bytes (791: in error)", { options = padded(route(8, ("\0"):rep(7))) },
  "malformed")
silent4("v4 record route of length 2", { options = "\7\2\0\0" }, "malformed")

-- The time of day is a wildcard, and with it the header checksum.
local function timed(first_digit, digits)
  return function(answer)
    local a <const> = 40 + first_digit
    return answer:sub(1, 20) .. "...." .. answer:sub(25, a) .. ("."):rep(digits) .. answer:sub(a + digits + 1)
  end
end
echo4("v4 timestamp only", { options = stamp(5, 0, ("\0"):rep(36)), answer_options = stamp(9, 0, ("\0"):rep(36)),
  pattern = timed(8, 8) })
echo4("v4 timestamp with address", { options = stamp(5, 1, ("\0"):rep(16)),
  answer_options = stamp(13, 1, R.ip .. ("\0"):rep(12)), pattern = timed(16, 8) })
echo4("v4 timestamp prespecified for us", { options = stamp(5, 3, R.ip .. ("\0"):rep(4)),
  answer_options = stamp(13, 3, R.ip .. ("\0"):rep(4)), pattern = timed(16, 8) })
echo4("v4 timestamp prespecified for another", { options = stamp(5, 3, K.ip .. ("\0"):rep(4)),
  answer_options = stamp(5, 3, K.ip .. ("\0"):rep(4)) })
echo4("v4 timestamp, full: the overflow is counted", { options = stamp(9, 0, "\1\2\3\4"),
  answer_options = stamp(9, 0x10, "\1\2\3\4") })
echo4("v4 timestamp, full, overflow 14", { options = stamp(9, 0xe0, "\1\2\3\4"),
  answer_options = stamp(9, 0xf0, "\1\2\3\4") })
silent4("v4 timestamp, the overflow itself overflows (791: in error)", { options = stamp(9, 0xf0, "\1\2\3\4") }, "malformed")
silent4("v4 timestamp with room for half an entry (791: in error)", { options = stamp(5, 1, "\0\0\0\0") }, "malformed")
silent4("v4 timestamp pointer 4", { options = stamp(4, 0, ("\0"):rep(8)) }, "malformed")
silent4("v4 timestamp of length 3", { options = "\x44\3\5\0" }, "malformed")
silent4("v4 loose source route", { options = padded(option(131, "\4", addr4 "192.0.2.9")) }, "source_route")
silent4("v4 loose source route at its end", { options = padded(option(131, "\8", addr4 "192.0.2.9")) }, "source_route")
silent4("v4 strict source route", { options = padded(option(137, "\4", addr4 "192.0.2.9")) }, "source_route")
silent4("v4 strict source route at its end", { options = padded(option(137, "\8", addr4 "192.0.2.9")) }, "source_route")
silent4("v4 source route behind a record route", { options = padded(route(4, "\0\0\0\0") .. option(131, "\4", R.ip)) },
  "source_route")
silent4("v4 option of length 0", { options = "\x82\0\0\0" }, "malformed")
silent4("v4 option of length 1", { options = "\x82\1\0\0" }, "malformed")
silent4("v4 option that reaches into the ICMP header", { options = "\x82\5\0\0" }, "malformed")
silent4("v4 option of length 255", { options = "\7\xff\4\0" }, "malformed")
silent4("v4 option without a length byte", { options = "\1\1\1\x82" }, "malformed")

-- Fragments (RFC 791 3.2; the reflector answers whole datagrams).
silent4("v4 first fragment", { frag = 0x2000 }, "fragment")
silent4("v4 first fragment with DF", { frag = 0x6000 }, "fragment")
silent4("v4 middle fragment", { frag = 0x2001 }, "fragment")
silent4("v4 last fragment", { frag = 0x00b9 }, "fragment")
silent4("v4 last fragment that ends at 65535", { frag = 0x1ffb, data = ("x"):rep(11) }, "fragment")
silent4("v4 ping of death", { frag = 0x1fff }, "malformed")
silent4("v4 ping of death by one byte", { frag = 0x1ffb, data = ("x"):rep(12) }, "malformed")
silent4("v4 first fragment of an answer", { frag = 0x2000, type = 0 })
silent4("v4 fragment for somebody else", { frag = 0x2000, dst = addr4 "198.51.100.1" })
silent4("v4 fragment of UDP", { frag = 0x00b9, proto = 17 })
raw4("v4 first fragment of four bytes", ip4({ frag = 0x2000 }, "\8\0\0\0"), "malformed")

-- Sources that must not be answered (RFC 1122 3.2.1.3, 3.2.2).
for _, source in ipairs { "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "224.0.0.1", "239.255.255.255",
  "240.0.0.1", "255.255.255.254", "255.255.255.255", "192.0.2.255", "192.0.2.0" } do
  silent4("v4 source " .. source, { src = addr4(source) }, "bad_source")
end
silent4("v4 LAND: source and destination are ours", { src = R.ip }, "bad_source")

-- Destinations that are not ours to answer for.
for _, destination in ipairs { "0.0.0.0", "127.0.0.1", "198.51.100.1", "192.0.2.1", "192.0.2.0", "192.0.2.255", "224.0.0.1",
  "240.0.0.1", "255.255.255.255" } do
  silent4("v4 destination " .. destination, { dst = addr4(destination), src = addr4 "192.0.2.7" })
end
frame("v4 all-systems group by multicast", eth(0x0800, ip4({ dst = addr4 "224.0.0.1" }, icmp {}), { to = "\1\0\x5e\0\0\1" }),
  "policy")
frame("v4 broadcast by broadcast", eth(0x0800, ip4({ dst = addr4 "192.0.2.255" }, icmp {}), { to = BROADCAST }), "policy")

-- Other types: no answer is ever answered (RFC 1122 3.2.2).
for _, type in ipairs { 0, 1, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 17, 30, 42, 255 } do
  silent4(("v4 ICMP type %d"):format(type), { type = type })
end
silent4("v4 error that quotes an echo request", { type = 3, code = 3, ident = 0, seq = 0, data = GOOD4 })
silent4("v4 error that quotes an error", { type = 11, ident = 0, seq = 0,
  data = ip4({}, icmp { type = 3, data = GOOD4 }) })
for _, proto in ipairs { 0, 2, 4, 41, 50, 51, 58, 132, 255 } do
  silent4(("v4 protocol %d"):format(proto), { proto = proto })
end
raw4("v4 TCP SYN", ip4({ proto = 6 }, pack(">I2I2I4I4BBI2I2I2", 1024, 80, 1, 0, 0x50, 2, 512, 0, 0)), "policy")
raw4("v4 UDP to the echo port", ip4({ proto = 17 }, pack(">I2I2I2I2", 7, 7, 8, 0)), "policy")
raw4("v4 in v4: the inner request is not for us", ip4({ proto = 4 }, GOOD4), "policy")

-- IPv6 echo (RFC 4443 4.1, 4.2).
echo6("v6 echo", {})
echo6("v6 echo without data", { data = "" })
echo6("v6 echo of odd length", { data = "abc" })
echo6("v6 echo that fills an Ethernet frame", { data = ("\xa5"):rep(1452) })
echo6("v6 echo code 1", { code = 1 })
echo6("v6 echo hop limit 0", { hlim = 0 })
echo6("v6 echo hop limit 1", { hlim = 1 })
echo6("v6 echo hop limit 255", { hlim = 255 })
echo6("v6 echo with class and flow", { tclass = 0xb8, flow = 0xabcde })
echo6("v6 echo from another network", { src = "\x20\x01\x0d\xb8\0\9" .. ("\0"):rep(9) .. "\7" })
echo6("v6 echo from a link-local address", { src = "\xfe\x80" .. ("\0"):rep(13) .. "\9" })
for _, checksum in ipairs { 0x0000, 0x0100, 0xfeff, 0xff00 } do
  local rest = (~checksum & 0xffff) - sum(K.ip6 .. R.ip6 .. pack(">I4I4", 8, 58) .. "\x80\0")
  if rest < 0 then rest = rest + 0xffff end
  -- 0000 and ffff are one number in this arithmetic: either verifies.
  echo6(("v6 echo whose checksum is %04x"):format(checksum), { data = "", seq = 0, ident = rest,
    pattern = checksum == 0x0100 and function(answer) return answer:sub(1, 84) .. "...." .. answer:sub(89) end or nil })
end
for _, len in ipairs { 4, 5, 7 } do
  silent6(("v6 echo request of %d bytes (4443 4.1: it has eight)"):format(len), { cut = len, data = "" })
end
silent6("v6 ICMP of three bytes", { plen = 3 }, "malformed")
silent6("v6 payload length 0", { plen = 0 }, "malformed")
silent6("v6 payload length one more than there is", { plen = 17 }, "malformed")
silent6("v6 payload length 65535", { plen = 65535 }, "malformed")
silent6("v6 payload length cuts the data", { plen = 12 }, "bad_checksum")

local MAPPED <const> = ("\0"):rep(10) .. "\xff\xff" .. K.ip
for name, source in pairs { ["::"] = ZERO6, ["::1"] = ("\0"):rep(15) .. "\1", ["ff02::1"] = ALL_NODES,
  ["ff0e::9"] = "\xff\x0e" .. ("\0"):rep(13) .. "\9", ["::ffff:192.0.2.1"] = MAPPED } do
  silent6("v6 source " .. name, { src = source }, "bad_source")
end
silent6("v6 LAND", { src = R.ip6 }, "bad_source")
for name, destination in pairs { ["::"] = ZERO6, ["::1"] = ("\0"):rep(15) .. "\1", ["ff02::1"] = ALL_NODES,
  ["v4-mapped"] = MAPPED, ["2001:db8::1"] = K.ip6, ["2001:db9::1"] = "\x20\x01\x0d\xb9" .. ("\0"):rep(11) .. "\1" } do
  silent6("v6 destination " .. name, { dst = destination, src = "\x20\x01\x0d\xb8" .. ("\0"):rep(11) .. "\7" })
end
frame("v6 all nodes by multicast", eth(0x86dd, ip6({ dst = ALL_NODES }, icmp6 { dst = ALL_NODES }), { to = "\x33\x33\0\0\0\1" }),
  "policy")
for _, type in ipairs { 0, 1, 2, 3, 4, 100, 127, 129, 130, 131, 132, 133, 134, 137, 139, 143, 200, 255 } do
  silent6(("v6 ICMP type %d"):format(type), { type = type })
end
silent6("v6 error that quotes an echo request", { type = 1, code = 4, ident = 0, seq = 0, data = GOOD6 })
for _, nxt in ipairs { 1, 6, 17, 41, 50, 59, 135, 139, 253, 255 } do
  silent6(("v6 next header %d"):format(nxt), { nxt = nxt }, (nxt == 6 or nxt == 17) and "malformed" or "policy")
end

-- Extension headers (RFC 8200 4): in the answer there are none.
local function tlv(nxt, options)
  return pack("BB", nxt, (#options + 2) // 8 - 1) .. options
end
local PADN <const> = "\1\4\0\0\0\0"
local function routing(nxt, type, left, slots) return pack("BBBB", nxt, #slots // 8, type, left) .. "\0\0\0\0" .. slots end
local function fragment(nxt, field) return pack(">BBI2I4", nxt, 0, field, 0xabad1dea) end

echo6("v6 hop-by-hop with PadN", { nxt = 0, chain = tlv(58, PADN) })
echo6("v6 hop-by-hop with six Pad1", { nxt = 0, chain = tlv(58, ("\0"):rep(6)) })
echo6("v6 hop-by-hop with a router alert", { nxt = 0, chain = tlv(58, "\5\2\0\0\1\0") })
echo6("v6 hop-by-hop, unknown option to be skipped (00)", { nxt = 0, chain = tlv(58, "\x1e\4\1\2\3\4") })
silent6("v6 hop-by-hop, unknown option: discard (01)", { nxt = 0, chain = tlv(58, "\x5e\4\1\2\3\4") }, "source_route")
silent6("v6 hop-by-hop, unknown option: discard (10)", { nxt = 0, chain = tlv(58, "\x9e\4\1\2\3\4") }, "source_route")
silent6("v6 hop-by-hop, unknown option: discard (11)", { nxt = 0, chain = tlv(58, "\xde\4\1\2\3\4") }, "source_route")
silent6("v6 jumbo payload that is none", { nxt = 0, chain = tlv(58, "\xc2\4\0\1\0\0") }, "source_route")
echo6("v6 destination options", { nxt = 60, chain = tlv(58, PADN) })
echo6("v6 destination options twice", { nxt = 60, chain = tlv(60, PADN) .. tlv(58, PADN) })
echo6("v6 hop-by-hop, then destination options", { nxt = 0, chain = tlv(60, PADN) .. tlv(58, PADN) })
silent6("v6 destination options, unknown option: discard", { nxt = 60, chain = tlv(58, "\x80\4\1\2\3\4") }, "source_route")
silent6("v6 home address option", { nxt = 60, chain = tlv(58, "\1\2\0\0\xc9\x10" .. K.ip6) }, "source_route")
silent6("v6 hop-by-hop behind destination options", { nxt = 60, chain = tlv(0, PADN) .. tlv(58, PADN) }, "malformed")
silent6("v6 hop-by-hop twice", { nxt = 0, chain = tlv(0, PADN) .. tlv(58, PADN) }, "malformed")
silent6("v6 hop-by-hop longer than the packet", { nxt = 0, chain = "\x3a\xff" .. PADN }, "malformed")
silent6("v6 option longer than its header", { nxt = 0, chain = tlv(58, "\1\x05\0\0\0\0") }, "malformed")
silent6("v6 option without a length byte", { nxt = 0, chain = tlv(58, "\1\3\0\0\0\1") }, "malformed")
silent6("v6 extension header of seven bytes", { nxt = 60, plen = 7, chain = tlv(58, PADN) }, "malformed")
silent6("v6 routing header type 0 (5095)", { nxt = 43, chain = routing(58, 0, 1, K.ip6) }, "source_route")
silent6("v6 routing header type 0, no segments left", { nxt = 43, chain = routing(58, 0, 0, K.ip6) }, "source_route")
silent6("v6 routing header type 2, segments left", { nxt = 43, chain = routing(58, 2, 1, R.ip6) }, "source_route")
silent6("v6 segment routing, segments left", { nxt = 43, chain = routing(58, 4, 1, R.ip6) }, "source_route")
echo6("v6 segment routing at its end", { nxt = 43, chain = routing(58, 4, 0, R.ip6) })
echo6("v6 unknown routing type at its end (8200 4.4)", { nxt = 43, chain = routing(58, 253, 0, "") })
silent6("v6 unknown routing type, segments left (8200 4.4)", { nxt = 43, chain = routing(58, 253, 1, "") }, "source_route")
silent6("v6 routing header longer than the packet", { nxt = 43, chain = "\x3a\x20\4\0\0\0\0\0" }, "malformed")
echo6("v6 atomic fragment (6946)", { nxt = 44, chain = fragment(58, 0) })
echo6("v6 atomic fragment, reserved bits set", { nxt = 44, chain = fragment(58, 6) })
echo6("v6 atomic fragment behind hop-by-hop", { nxt = 0, chain = tlv(44, PADN) .. fragment(58, 0) })
echo6("v6 atomic fragment before destination options", { nxt = 44, chain = fragment(60, 0) .. tlv(58, PADN) })
silent6("v6 first fragment", { nxt = 44, chain = fragment(58, 1) }, "fragment")
silent6("v6 middle fragment", { nxt = 44, chain = fragment(58, 8 | 1) }, "fragment")
silent6("v6 last fragment", { nxt = 44, chain = fragment(58, 16) }, "fragment")
silent6("v6 ping of death", { nxt = 44, chain = fragment(58, 0xfff8) }, "malformed")
silent6("v6 fragment header cut short", { nxt = 44, plen = 6, chain = fragment(58, 0) }, "malformed")
silent6("v6 hop-by-hop behind a fragment header", { nxt = 44, chain = fragment(0, 0) .. tlv(58, PADN) }, "malformed")
silent6("v6 fragment of UDP", { nxt = 44, chain = fragment(17, 16) })
silent6("v6 authentication header without an association (4302 3.4.2)",
  { nxt = 51, chain = "\x3a\x04\0\0\0\0\0\1\0\0\0\1" .. ("\xaa"):rep(12) }, "source_route")
echo6("v6 chain of eight headers", { nxt = 60, chain = tlv(60, PADN):rep(7) .. tlv(58, PADN) })
silent6("v6 chain of nine headers", { nxt = 60, chain = tlv(60, PADN):rep(8) .. tlv(58, PADN) }, "malformed")
silent6("v6 chain that never ends", { nxt = 60, chain = tlv(60, PADN):rep(150) }, "malformed")
silent6("v6 header of a hundred options", { nxt = 60, chain = tlv(58, "\x1e\0" .. ("\x1e\0"):rep(98)) }, "malformed")

-- The Ethernet around it: only unicast frames to our MAC (RFC 1122 3.3.6), from one station.
for name, mac in pairs { broadcast = BROADCAST, multicast = "\1\0\x5e\0\2\x64", ["a foreign station"] = OTHER_MAC,
  ["station 0"] = ("\0"):rep(6) } do
  frame("v4 echo to " .. name, eth(0x0800, GOOD4, { to = mac }), "policy")
  frame("v6 echo to " .. name, eth(0x86dd, GOOD6, { to = mac }), "policy")
end
for name, mac in pairs { broadcast = BROADCAST, ["a group"] = "\x33\x33\0\0\0\1" } do
  frame("v4 echo from " .. name .. " (802.3 3.2.3)", eth(0x0800, GOOD4, { from = mac }), "bad_source")
  frame("v6 echo from " .. name .. " (802.3 3.2.3)", eth(0x86dd, GOOD6, { from = mac }), "bad_source")
end
frame("v4 behind type 86dd", eth(0x86dd, GOOD4 .. ("\0"):rep(20)), "malformed")
frame("v6 behind type 0800", eth(0x0800, GOOD6), "malformed")
frame("an 802.3 length for a type", eth(0x0026, "\xaa\xaa\3\0\0\0\8\0" .. GOOD4), "policy")
frame("an unknown type", eth(0x88b5, GOOD4), "policy")
frame("a loopback test frame", eth(0x9000, ("\0"):rep(46)), "policy")

-- Tags stay as they came (IEEE 802.1Q).
local function tagged(name, tags, type, request, answer, kind)
  add { name = name, frame = eth(type, request, { tags = tags }), answer = kind or "echo",
    expect = hex(eth(type, answer, { to = K.mac, from = R.mac, tags = tags })) }
end
tagged("v4 echo in VLAN 5", "\x81\0\0\5", 0x0800, GOOD4, ANSWER4)
tagged("v4 echo in VLAN 4094, priority 7", "\x81\0\xef\xfe", 0x0800, GOOD4, ANSWER4)
tagged("v4 echo with a priority tag", "\x81\0\x60\0", 0x0800, GOOD4, ANSWER4)
tagged("v6 echo in VLAN 5", "\x81\0\0\5", 0x86dd, GOOD6, ANSWER6)
tagged("v4 echo in QinQ", "\x88\xa8\0\7\x81\0\0\5", 0x0800, GOOD4, ANSWER4)
tagged("v6 echo in QinQ", "\x88\xa8\0\7\x81\0\0\5", 0x86dd, GOOD6, ANSWER6)
tagged("v4 echo in two 8100 tags", "\x81\0\0\7\x81\0\0\5", 0x0800, GOOD4, ANSWER4)
frame("v4 echo in three tags", eth(0x0800, GOOD4, { tags = ("\x81\0\0\5"):rep(3) }), "policy")
frame("a tag that is cut", eth(0x8100, "\0\5"), "malformed")
frame("a second tag that is cut", eth(0x88a8, "\0\7\x81\0\0"), "malformed")
frame("a tag and nothing else", eth(0x8100, "\0\5\x08\0"), "malformed")

-- ARP (RFC 826, RFC 5227, RFC 1122 2.3.2).
local function arp_answer(t)
  return arp { opcode = 2, sha = R.mac, spa = t.tpa or R.ip, tha = t.sha or K.mac, tpa = t.spa or K.ip }
end
local function ask(name, t)
  t.to = t.to or BROADCAST
  add { name = "ARP " .. name, frame = eth(0x0806, arp(t) .. (t.trailer or ""), t), answer = "arp",
    expect = hex(eth(0x0806, arp_answer(t), { to = t.sha or K.mac, from = R.mac, tags = t.tags })) }
end
local function lie(name, t, drop)
  t.to = t.to or BROADCAST
  frame("ARP " .. name, eth(0x0806, arp(t), t), drop or "policy")
end
ask("request by broadcast", {})
ask("request to our MAC", { to = R.mac })
ask("request padded to 60 bytes", { trailer = ("\0"):rep(18) })
ask("request with a kilobyte behind it", { trailer = ("\xee"):rep(1000) })
ask("request with a target MAC of ones", { tha = BROADCAST })
ask("probe, sender address 0 (5227 2.1.1)", { spa = "\0\0\0\0", sha = OTHER_MAC, from = OTHER_MAC })
ask("request by a relay: the answer goes to the sender in it (826)", { sha = OTHER_MAC, spa = addr4 "192.0.2.7" })
ask("request from another network", { spa = addr4 "198.51.100.7", sha = OTHER_MAC, from = OTHER_MAC })
ask("request in VLAN 5", { tags = "\x81\0\0\5" })
ask("request in QinQ", { tags = "\x88\xa8\0\7\x81\0\0\5" })
for _, hardware in ipairs { 0, 6, 32, 0xffff } do
  lie(("hardware type %d"):format(hardware), { hardware = hardware }, "malformed")
end
for _, protocol in ipairs { 0, 0x0806, 0x86dd } do
  lie(("protocol type %04x"):format(protocol), { protocol = protocol }, "malformed")
end
for _, hlen in ipairs { 0, 5, 8, 255 } do
  lie(("hardware length %d"):format(hlen), { hlen = hlen }, "malformed")
end
for _, plen in ipairs { 0, 6, 16, 255 } do
  lie(("protocol length %d"):format(plen), { plen = plen }, "malformed")
end
for _, opcode in ipairs { 0, 2, 3, 4, 8, 0x0100, 0xffff } do
  lie(("opcode %d"):format(opcode), { opcode = opcode })
end
lie("reply to our MAC", { opcode = 2, to = R.mac })
lie("announcement: sender is target", { spa = R.ip })
lie("announcement by a reply", { spa = R.ip, opcode = 2 })
lie("sender MAC a group", { sha = "\1\0\x5e\0\0\1" })
lie("sender MAC broadcast", { sha = BROADCAST })
lie("frame from a group", { from = "\1\0\x5e\0\0\1" })
for _, spa in ipairs { "0.0.0.1", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.255", "192.0.2.0" } do
  lie("sender address " .. spa, { spa = addr4(spa) }, spa:match "^192" and "bad_source" or nil)
end
for _, tpa in ipairs { "0.0.0.0", "127.0.0.1", "192.0.2.1", "192.0.2.0", "192.0.2.255", "198.51.100.1", "224.0.0.1",
  "255.255.255.255" } do
  lie("target address " .. tpa, { tpa = addr4(tpa), spa = addr4 "192.0.2.7" })
end
lie("request to a foreign station", { to = OTHER_MAC })
for _, len in ipairs { 0, 7, 27 } do
  frame(("ARP cut after %d bytes"):format(len), eth(0x0806, arp({}):sub(1, len), { to = BROADCAST }), "malformed")
end

-- Neighbour discovery (RFC 4861 7.1.1, 7.2.4).
local NODE <const> = "\xff\x02" .. ("\0"):rep(9) .. "\1\xff" .. R.ip6:sub(14)
local NODE_MAC <const> = "\x33\x33" .. NODE:sub(13)
local SOURCE_LLA <const> = "\1\1" .. K.mac
local function solicitation(t)
  t.dst = t.dst or NODE
  local body <const> = pack(">BBI2I4", t.type or 135, t.code or 0, 0, 0) .. (t.target or R.ip6) .. (t.options or SOURCE_LLA)
  return ip6(with(t, { hlim = t.hlim or 255 }), sum6(t, body:sub(1, t.cut)))
end
local function advertisement(t)
  local is_probe <const> = t.src == ZERO6
  local reply <const> = { src = t.target or R.ip6, dst = is_probe and ALL_NODES or t.src or K.ip6, hlim = 255 }
  local body <const> = pack(">BBI2BI3", 136, 0, 0, is_probe and 0x20 or 0x60, 0) .. (t.target or R.ip6) .. "\2\1" .. R.mac
  return ip6(reply, sum6(reply, body))
end
local function solicit(name, t)
  t.to = t.to or NODE_MAC
  add { name = "NS " .. name, frame = eth(0x86dd, solicitation(t) .. (t.trailer or ""), t), answer = "na", grows = true,
    expect = hex(eth(0x86dd, advertisement(t), { from = R.mac, tags = t.tags,
      to = t.src == ZERO6 and "\x33\x33\0\0\0\1" or t.from or K.mac })) }
end
local function nd_lie(name, t, drop)
  t.to = t.to or NODE_MAC
  frame("NS " .. name, eth(0x86dd, solicitation(t), t), drop or "policy")
end
solicit("by multicast", {})
solicit("to our address", { dst = R.ip6, to = R.mac })
solicit("to our address without an option", { dst = R.ip6, to = R.mac, options = "" })
solicit("by multicast without an option", { options = "" })
solicit("with an unknown option (4861 4.6: ignored)", { options = "\x0e\1abcdef" .. SOURCE_LLA })
solicit("with bytes behind it", { trailer = ("\xee"):rep(40) })
solicit("from a link-local address", { src = "\xfe\x80" .. ("\0"):rep(13) .. "\9", from = OTHER_MAC,
  options = "\1\1" .. OTHER_MAC })
solicit("probe (4862 5.4.2), answered to all nodes", { src = ZERO6, options = "", from = OTHER_MAC })
solicit("probe with a nonce (7527)", { src = ZERO6, options = "\x0e\1abcdef", from = OTHER_MAC })
solicit("in VLAN 5", { tags = "\x81\0\0\5" })
for _, hlim in ipairs { 0, 1, 64, 254 } do
  nd_lie(("hop limit %d"):format(hlim), { hlim = hlim })
end
nd_lie("code 1", { code = 1 })
nd_lie("code 255", { code = 255 })
nd_lie("of 8 bytes", { cut = 8 })
nd_lie("of 23 bytes", { cut = 23 })
nd_lie("option of length 0", { options = "\1\0" .. K.mac })
nd_lie("second option of length 0", { options = SOURCE_LLA .. "\5\0\0\0\0\0\0\0" })
nd_lie("option longer than the packet", { options = "\1\2" .. K.mac })
nd_lie("one byte for an option", { options = "\1" })
nd_lie("bad checksum", { icmp_flip = 1 })
nd_lie("checksum 0", { icmp_checksum = 0 })
nd_lie("target a group", { target = NODE })
nd_lie("target ::", { target = ZERO6 })
nd_lie("target ::1", { target = ("\0"):rep(15) .. "\1" })
nd_lie("target not on the link", { target = "\x20\x01\x0d\xb9" .. ("\0"):rep(10) .. "\1\0" })
nd_lie("target the kernel's own", { target = K.ip6, dst = NODE:sub(1, 14) .. "\0\1", to = "\x33\x33\xff\0\0\1",
  src = "\x20\x01\x0d\xb8" .. ("\0"):rep(11) .. "\7" })
nd_lie("for another solicited-node group", { dst = NODE:sub(1, 15) .. "\x77" })
nd_lie("to all nodes", { dst = ALL_NODES, to = "\x33\x33\0\0\0\1" })
nd_lie("to another address than the target", { dst = R.ip6:sub(1, 15) .. "\x77", to = R.mac })
nd_lie("source = target", { src = R.ip6 })
nd_lie("source a group", { src = ALL_NODES })
nd_lie("source ::1", { src = ("\0"):rep(15) .. "\1" })
nd_lie("source v4-mapped", { src = MAPPED })
nd_lie("probe with a source address option (4861 7.1.1)", { src = ZERO6, from = OTHER_MAC })
nd_lie("probe to our address (4861 7.1.1)", { src = ZERO6, dst = R.ip6, to = R.mac, options = "", from = OTHER_MAC })
nd_lie("frame from a group", { from = "\x33\x33\0\0\0\1" })
nd_lie("frame to a foreign station", { to = OTHER_MAC, dst = R.ip6 })
nd_lie("in a fragment (6980)", { nxt = 44, chain = fragment(58, 0) })
nd_lie("in an advertisement's clothes", { type = 136 })
nd_lie("as a redirect", { type = 137 })
nd_lie("payload length 65535", { plen = 65535 }, "malformed")
for _, len in ipairs { 41, 43 } do
  frame(("NS cut after %d bytes"):format(len), eth(0x86dd, solicitation({}):sub(1, len), { to = NODE_MAC }), "malformed")
end

hostile.cases = cases
-- A solicitation for a target (16 bytes) by a neighbour, and its answer.
function hostile.solicit(target)
  local group <const> = NODE:sub(1, 13) .. target:sub(14)
  local question <const> = { target = target, dst = group, from = OTHER_MAC, options = "\1\1" .. OTHER_MAC,
    src = "\xfe\x80" .. ("\0"):rep(13) .. "\9" }
  return eth(0x86dd, solicitation(question), { to = "\x33\x33" .. group:sub(13), from = OTHER_MAC }),
    eth(0x86dd, advertisement(question), { to = OTHER_MAC, from = R.mac })
end
-- What ends each case of a sequence: a good request, and its answer.
hostile.last = eth(0x0800, ip4({}, icmp { data = "the last" }))
hostile.last_answer = eth(0x0800, ip4({ src = R.ip, dst = K.ip }, icmp { type = 0, data = "the last" }),
  { to = K.mac, from = R.mac })
return hostile
