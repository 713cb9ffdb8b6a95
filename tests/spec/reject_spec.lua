-- mt.reject: what each word says, what is quoted, and what is never answered.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")
local K <const>, R <const>, ip4 <const>, ip6 <const>, eth <const> = frames.K, frames.R, frames.ip4, frames.ip6, frames.eth

local BROADCAST <const> = ("\xff"):rep(6)

local function udp4(t) return ip4(frames.with(t, { proto = 17 }), frames.udp(t or {})) end
local function tcp4(t) return ip4(frames.with(t, { proto = 6 }), frames.tcp(t or {})) end
local function udp6(t) return ip6(frames.with(t, { nxt = 17 }), frames.udp(frames.with(t, { is_6 = true }))) end
local function tcp6(t) return ip6(frames.with(t, { nxt = 6 }), frames.tcp(frames.with(t, { is_6 = true }))) end
local function icmp4(t) return ip4(t or {}, frames.icmp(t or {})) end
local function icmp6(t) return ip6(t or {}, frames.icmp6(t or {})) end

describe("mt.reject", function()
  local near, far, got

  local function open(first, options)
    near, far = mt.pair(first, "near", "far")
    got = {}
    near:on(nil, function(pkt)
      got[#got + 1] = pkt:bytes()
      return "handled"
    end)
    far:on(nil, mt.reject(options or {}))
  end

  after_each(function()
    if not near then return end
    local c <const> = far.counters
    assert.equal(c.rx_packets, c.replied + c.rewritten + c.passed + c.dropped + c.handled)
    near:close()
    far:close()
    near, far = nil, nil
  end)

  -- Sends, and gives what came back.
  local function ask(...)
    got = {}
    local before <const> = far.counters.rx_packets
    for _, bytes in ipairs { ... } do near:send(bytes) end
    local give_up <const> = mt.now() + 10
    while far.counters.rx_packets < before + select("#", ...) or near.counters.rx_packets < far.counters.tx_packets do
      assert(mt.now() < give_up, "the packets do not arrive")
      mt.sleep(0.001)
    end
    return got[1]
  end

  -- The error about `datagram`, whole: type, code and the four bytes behind the checksum.
  local function assert_error4(datagram, type, code, rest, answer)
    assert.is_string(answer)
    assert.equal(1, #got)
    assert.is_true(frames.verifies(answer))
    assert.equal(frames.hex(R.ip .. K.ip), frames.hex(answer:sub(13, 20)))
    assert.equal(0, (string.unpack(">I2", answer, 7)))
    assert.same({ 0x45, 64, 1 }, { answer:byte(1), answer:byte(9), answer:byte(10) })
    assert.same({ type, code, rest or 0 }, { answer:byte(21), answer:byte(22), (string.unpack(">I4", answer, 25)) })
    assert.equal(frames.hex(datagram), frames.hex(answer:sub(29)))
    assert.equal(#answer, (string.unpack(">I2", answer, 3)))
  end

  local function assert_error6(datagram, type, code, rest, answer)
    assert.is_string(answer)
    assert.equal(1, #got)
    assert.is_true(frames.verifies(answer))
    assert.equal(frames.hex(R.ip6 .. K.ip6), frames.hex(answer:sub(9, 40)))
    assert.same({ 58, 64 }, { answer:byte(7, 8) })
    assert.same({ type, code, rest or 0 }, { answer:byte(41), answer:byte(42), (string.unpack(">I4", answer, 45)) })
    assert.equal(frames.hex(datagram), frames.hex(answer:sub(49)))
    assert.equal(#answer - 40, (string.unpack(">I2", answer, 5)))
  end

  -- RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.
  for word, kind in pairs {
    ["net-unreachable"] = { 3, 0, 1, 0 },
    ["host-unreachable"] = { 3, 1, 1, 3 },
    ["port-unreachable"] = { 3, 3, 1, 4 },
    ["admin-prohibited"] = { 3, 13, 1, 1 },
    ["ttl-exceeded"] = { 11, 0, 3, 0 },
  } do
    it("with " .. word .. " quotes what it is about", function()
      open("ip", { with = word })
      assert_error4(udp4(), kind[1], kind[2], 0, ask(udp4()))
      assert_error6(udp6(), kind[3], kind[4], 0, ask(udp6()))
      assert_error4(tcp4(), kind[1], kind[2], 0, ask(tcp4()))
      assert_error4(icmp4(), kind[1], kind[2], 0, ask(icmp4()))
      assert_error6(icmp6(), kind[3], kind[4], 0, ask(icmp6()))
    end)
  end

  it("with too-big tells the mtu (RFC 1191 4, RFC 4443 3.2)", function()
    open("ip", { with = "too-big", mtu = 1400 })
    assert_error4(udp4(), 3, 4, 1400, ask(udp4()))
    assert_error6(udp6(), 2, 0, 1400, ask(udp6()))
  end)

  it("quotes at most to 576 bytes, v4, and 1280, v6 (RFC 1812 4.3.2.3, RFC 4443 2.4)", function()
    open("ip", { with = "port-unreachable" })
    local long4 <const>, long6 <const> = udp4 { data = ("x"):rep(1400) }, udp6 { data = ("x"):rep(1400) }
    assert_error4(long4:sub(1, 576 - 28), 3, 3, 0, ask(long4))
    assert_error6(long6:sub(1, 1280 - 48), 1, 4, 0, ask(long6))
  end)

  it("quotes header options, and no padding", function()
    open("eth", { with = "port-unreachable" })
    local datagram <const> = udp4 { options = "\1\1\1\1" }
    local answer <const> = ask(eth(0x0800, datagram .. ("\xee"):rep(30)))
    assert.equal(frames.hex(K.mac .. R.mac .. "\8\0"), frames.hex(answer:sub(1, 14)))
    assert_error4(datagram, 3, 3, 0, answer:sub(15))
  end)

  it("answers inside the tags that it was asked in", function()
    open("eth", { with = "port-unreachable" })
    local tags <const> = "\x88\xa8\0\7\x81\0\0\5"
    local answer <const> = ask(eth(0x86dd, udp6(), { tags = tags }))
    assert.equal(frames.hex(K.mac .. R.mac .. tags .. "\x86\xdd"), frames.hex(answer:sub(1, 22)))
    assert_error6(udp6(), 1, 4, 0, answer:sub(23))
  end)

  it("answers a datagram that carries no UDP checksum", function()
    open("ip", { with = "port-unreachable" })
    local datagram <const> = udp4 { checksum_l4 = 0 }
    assert_error4(datagram, 3, 3, 0, ask(datagram))
  end)

  it("speaks from the address of from, by family", function()
    open("ip", { with = "ttl-exceeded", from = { "198.51.100.1", "2001:db8:9::1" } })
    assert.equal("\xc6\x33\x64\1", ask(udp4()):sub(13, 16))
    assert.is_true(frames.verifies(got[1]))
    assert.equal("\x20\x01\x0d\xb8\0\9", ask(udp6()):sub(9, 14))
    assert.is_true(frames.verifies(got[1]))
  end)

  it("answers the first fragment (RFC 1122 3.2.2: about that one it may)", function()
    open("ip", { with = "host-unreachable" })
    local datagram <const> = udp4 { frag = 0x2000 }
    assert_error4(datagram, 3, 1, 0, ask(datagram))
  end)

  -- RFC 1122 3.2.2, RFC 4443 2.4 (e).
  local GROUP <const> = frames.addr4 "224.0.0.9"
  local GROUP6 <const> = "\xff\x02" .. ("\0"):rep(13) .. "\9"
  local silent <const> = {
    ["the last fragment"] = udp4 { frag = 0x00b9 },
    ["a middle fragment"] = udp4 { frag = 0x20b9 },
    ["a v6 later fragment"] = ip6({ nxt = 44, chain = "\x11\0\0\x10\0\0\0\1" }, "fragment"),
    ["a group destination"] = udp4 { dst = GROUP },
    ["a v6 group destination"] = udp6 { dst = GROUP6 },
    ["the limited broadcast"] = udp4 { dst = "\xff\xff\xff\xff" },
    ["a group source"] = udp4 { src = GROUP },
    ["a v6 group source"] = udp6 { src = GROUP6 },
    ["source 0.0.0.0"] = udp4 { src = "\0\0\0\0" },
    ["source ::"] = udp6 { src = ("\0"):rep(16) },
    ["a loopback source"] = udp4 { src = "\x7f\0\0\1" },
    ["source ::1"] = udp6 { src = ("\0"):rep(15) .. "\1" },
    ["a class E source"] = udp4 { src = "\xf0\0\0\1" },
    ["a broadcast source"] = udp4 { src = "\xff\xff\xff\xff" },
    ["a wrong header checksum"] = udp4 { flip = 1 },
    ["a wrong UDP checksum (RFC 1122 4.1.3.4)"] = udp4 { checksum_l4 = 0x1234 },
    ["no UDP checksum in v6 (RFC 8200 8.1)"] = udp6 { checksum_l4 = 0 },
    ["a wrong TCP checksum"] = tcp4 { checksum_l4 = 0x1234 },
    ["a wrong ICMP checksum"] = icmp4 { icmp_flip = 1 },
    ["a wrong ICMPv6 checksum"] = icmp6 { icmp_flip = 1 },
    ["a malformed header"] = udp4 { ihl = 4 },
  }
  for _, type in ipairs { 3, 4, 5, 11, 12 } do
    silent["an ICMP error of type " .. type] = icmp4 { type = type }
  end
  for _, type in ipairs { 1, 2, 3, 4, 100, 127, 137 } do
    silent["an ICMPv6 error of type " .. type] = icmp6 { type = type }
  end
  for about, datagram in pairs(silent) do
    it("is silent about " .. about, function()
      open("ip", { with = "host-unreachable" })
      assert.is_nil(ask(datagram))
      assert.equal(1, far.counters.drops.no_reply)
    end)
  end

  it("is silent about what came to or from a link's group", function()
    open("eth", { with = "host-unreachable" })
    assert.is_nil(ask(eth(0x0800, udp4(), { to = BROADCAST })))
    assert.is_nil(ask(eth(0x86dd, udp6(), { to = "\x33\x33\0\0\0\1" })))
    assert.is_nil(ask(eth(0x0800, udp4(), { from = BROADCAST })))
    assert.is_nil(ask(eth(0x0806, frames.arp {})))
    assert.equal(4, far.counters.drops.no_reply)
  end)

  it("never answers its own answer", function()
    open("ip")
    for _, datagram in ipairs { udp4(), udp6(), tcp4(), tcp6() } do
      local answer <const> = ask(datagram)
      assert.is_string(answer)
      assert.is_nil(ask(answer))
    end
  end)

  it("spends a bucket of fifty at once, then a hundred a second (RFC 4443 2.4 (f))", function()
    open("ip", { with = "port-unreachable" })
    local many <const> = {}
    for i = 1, 200 do many[i] = udp4() end
    local before <const> = mt.now()
    ask(table.unpack(many))
    local refilled <const> = (mt.now() - before) * 100 + 1
    local c <const> = far.counters
    assert.equal(200, c.replied + c.drops.rate_limit)
    assert.is_true(c.replied >= 50 and c.replied <= 50 + refilled, "answered " .. c.replied)
    mt.sleep(0.1)
    assert.is_string(ask(udp4()))
  end)

  -- RFC 9293 3.10.7.1. Flags: 1 FIN, 2 SYN, 4 RST, 16 ACK.
  local function assert_reset(answer, at, seq, ack, flags)
    assert.is_string(answer)
    assert.is_true(frames.verifies(answer))
    assert.equal(at + 20, #answer)
    local from <const>, to <const>, s <const>, a <const>, offset <const>, f <const> =
      string.unpack(">I2I2I4I4BB", answer, at + 1)
    assert.same({ 80, 1024, seq, ack, 0x50, flags }, { from, to, s, a, offset, f })
  end

  it("resets TCP with the numbers that the other end expects", function()
    open("ip", { with = "tcp-reset" })
    assert_reset(ask(tcp4 { seq = 1000 }), 20, 0, 1001, 20)
    assert.equal(frames.hex(R.ip .. K.ip), frames.hex(got[1]:sub(13, 20)))
    assert_reset(ask(tcp6 { seq = 1000 }), 40, 0, 1001, 20)
    assert.equal(frames.hex(R.ip6 .. K.ip6), frames.hex(got[1]:sub(9, 40)))
    assert_reset(ask(tcp4 { seq = 0xffffffff }), 20, 0, 0, 20)
    assert_reset(ask(tcp4 { seq = 1000, flags = 0, data = "12345" }), 20, 0, 1005, 20)
    assert_reset(ask(tcp4 { seq = 1000, flags = 1, data = "12345" }), 20, 0, 1006, 20)
    assert_reset(ask(tcp4 { seq = 1000, ack = 77, flags = 16, data = "12345" }), 20, 77, 0, 4)
    assert_reset(ask(tcp6 { seq = 1000, ack = 77, flags = 18 }), 40, 77, 0, 4)
  end)

  it("resets TCP without options, and inside its frame", function()
    open("eth", { with = "tcp-reset" })
    local answer <const> = ask(eth(0x0800, tcp4() .. "\0\0\0\0\0\0"))
    assert.equal(frames.hex(K.mac .. R.mac .. "\8\0"), frames.hex(answer:sub(1, 14)))
    assert_reset(answer:sub(15), 20, 0, 1001, 20)
  end)

  it("resets neither a reset, nor a wrong checksum, nor other protocols", function()
    open("ip", { with = "tcp-reset" })
    for _, datagram in ipairs { tcp4 { flags = 4 }, tcp4 { flags = 20 }, tcp4 { checksum_l4 = 0x1234 },
      tcp6 { checksum_l4 = 0x1234 }, udp4(), icmp4(), udp6() } do
      assert.is_nil(ask(datagram))
    end
    assert.equal(7, far.counters.drops.no_reply)
  end)

  it("resets TCP and calls the port unreachable where nothing is said", function()
    open("ip")
    assert_reset(ask(tcp4()), 20, 0, 1001, 20)
    assert_error4(udp4(), 3, 3, 0, ask(udp4()))
    assert_error6(udp6(), 1, 4, 0, ask(udp6()))
  end)

  it("says nothing about what came from or to the broadcast address of our own subnet", function()
    local tun <close> = assert(mt.tun { name = "tun7", addr = "192.0.2.1/24" })
    tun:on("icmp", mt.reject { with = "port-unreachable" })
    local function ping(...) mt.spawn { on_line = function() end, "ping", "-n", "-c", 1, "-w", 1, ... }:wait() end
    ping("-b", "192.0.2.255")
    assert.equal(1, tun.counters.drops.no_reply)
    assert.equal(0, tun.counters.replied)
    ping "192.0.2.9"
    assert.equal(1, tun.counters.replied)
  end)

  it("refuses what it does not know", function()
    assert.error_matches(function() mt.reject { with = "port-unreachabel" } end, "port%-unreachable")
    assert.error_matches(function() mt.reject { whit = "too-big" } end, '"whit".*with')
    assert.error_matches(function() mt.reject { mtu = 67 } end, "mtu")
    assert.error_matches(function() mt.reject { mtu = 65536 } end, "mtu")
    assert.error_matches(function() mt.reject { from = "nowhere" } end, "from")
    assert.error_matches(function() mt.reject "too-big" end, "table")
  end)
end)
