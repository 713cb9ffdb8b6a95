-- Capture files: what mt.pcap reads is what stands in them, whoever wrote them, and damage is said.
local mt <const> = require "moontap"
local bytes <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "capture_bytes.lua")

local ETHERNET <const>, RAW <const>, NULL <const>, LOOP <const>, SLL <const>, SLL2 <const> = 1, 101, 0, 108, 113, 276

local path

before_each(function() path = os.tmpname() end)
after_each(function() os.remove(path) end)

local function opened(content)
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return mt.pcap.open(path)
end

local function packets_of(content, match)
  local packets <const> = {}
  for pkt in assert(opened(content)):packets(match) do packets[#packets + 1] = pkt end
  return packets
end

-- pkttype 4: outgoing
local function sll(pkttype, protocol, payload, hatype)
  return string.pack(">I2I2I2", pkttype, hatype or 1, 6) .. "\2\0\0\0\0\9\0\0" .. string.pack(">I2", protocol) .. payload
end

local function sll2(pkttype, protocol, payload)
  return string.pack(">I2I2I4I2BB", protocol, 0, 3, 1, pkttype, 6) .. "\2\0\0\0\0\9\0\0" .. payload
end

describe("reading pcap", function()
  for _, order in ipairs { "<", ">" } do
    it("gives packets with their time in either byte order " .. order, function()
      local packets <const> = packets_of(bytes.pcap(order, ETHERNET, {
        { bytes.eth, sec = 1700000000, fraction = 250000 }, { bytes.eth, sec = 1700000001 } }))
      assert.equal(2, #packets)
      assert.equal(1700000000.25, packets[1].time)
      assert.equal(1700000001, packets[2].time)
      assert.equal(bytes.eth, packets[1]:bytes())
      assert.equal(7, packets[1].icmp.seq)
      assert.is_nil(packets[1].link)
      assert.is_nil(packets[1].dir)
      assert.is_nil(packets[1].cut)
      assert.is_nil(packets[1].comment)
    end)

    it("takes the family of BSD loopback in either byte order " .. order, function()
      for _, family in ipairs { 2, 24, 28, 30, 10 } do
        for _, linktype in ipairs { NULL, LOOP } do
          local inner <const> = family == 2 and bytes.ip4 or bytes.ip6
          local packets <const> = packets_of(bytes.pcap("<", linktype, { { string.pack(order .. "I4", family) .. inner } }))
          assert.equal(inner, packets[1]:bytes())
        end
      end
    end)
  end

  it("takes nanoseconds as such", function()
    local packets <const> = packets_of(bytes.pcap("<", RAW, { { bytes.ip4, sec = 2, fraction = 500000000 } }, true))
    assert.equal(2.5, packets[1].time)
  end)

  it("takes raw IP of each link type that says so", function()
    for _, linktype in ipairs { 12, 14, RAW, 228 } do
      assert.equal("ip icmp", table.concat(packets_of(bytes.pcap("<", linktype, { { bytes.ip4 } }))[1]:layers(), " "))
    end
    assert.equal("ipv6 icmpv6", table.concat(packets_of(bytes.pcap("<", 229, { { bytes.ip6 } }))[1]:layers(), " "))
  end)

  it("takes the header of Linux cooked captures off, and its direction", function()
    for linktype, header in pairs { [SLL] = sll, [SLL2] = sll2 } do
      local packets <const> = packets_of(bytes.pcap("<", linktype, {
        { header(0, 0x800, bytes.ip4) }, { header(4, 0x86dd, bytes.ip6) } }))
      assert.equal(bytes.ip4, packets[1]:bytes())
      assert.equal(bytes.ip6, packets[2]:bytes())
      assert.equal("in", packets[1].dir)
      assert.equal("out", packets[2].dir)
    end
  end)

  it("gives cooked ARP an Ethernet header of what is known", function()
    for linktype, header in pairs { [SLL] = sll, [SLL2] = sll2 } do
      local pkt <const> = packets_of(bytes.pcap("<", linktype, { { header(1, 0x806, bytes.arp) } }))[1]
      assert.equal("192.0.2.9", pkt.arp.src_ip)
      assert.equal("02:00:00:00:00:09", pkt.eth.src)
      assert.equal("ff:ff:ff:ff:ff:ff", pkt.eth.dst)
    end
  end)

  it("passes over what Ethernet could not carry, and counts it", function()
    local file <const> = assert(opened(bytes.pcap("<", SLL, {
      { sll(0, 4, "LLC") }, { sll(0, 0x800, bytes.ip4, 824) }, { sll(0, 0x800, bytes.ip4) } })))
    assert.equal(bytes.ip4, file:next():bytes())
    assert.equal(2, file.skipped)
    assert.is_nil(file:next())
  end)

  it("gives what the snap length left of a packet", function()
    local pkt <const> = packets_of(bytes.pcap("<", SLL, { { sll(0, 0x800, bytes.ip4:sub(1, 24)), original = 16 + #bytes.ip4 } }))[1]
    assert.equal(24, #pkt)
    assert.equal(#bytes.ip4 - 24, pkt.cut)
    assert.matches("^total_length at byte 0", pkt.malformed)
    assert.equal(#bytes.ip4 - 24, pkt:copy().cut)
    local nothing <const> = packets_of(bytes.pcap("<", SLL, { { "\0\0\0", original = 16 + #bytes.ip4 } }))[1]
    assert.equal(0, #nothing)
    assert.is_truthy(nothing.malformed)
  end)
end)

describe("reading pcapng", function()
  for _, order in ipairs { "<", ">" } do
    it("gives names, direction, comment and nanoseconds in either byte order " .. order, function()
      local file <const> = assert(opened(bytes.section(order)
        .. bytes.interface(order, ETHERNET, { { 2, "eth0" }, { 9, "\9" } })
        .. bytes.interface(order, RAW, { { 3, "a tun" }, { 2, "tun0" }, { 14, string.pack(order .. "i8", 1700000000) } })
        .. bytes.packet(order, 0, 1500000000, bytes.eth, { { 2, string.pack(order .. "I4", 1) }, { 1, "hello" } })
        .. bytes.packet(order, 1, 250000, bytes.ip4, { { 2, string.pack(order .. "I4", 2) } })))
      assert.same({ { name = "eth0", linktype = 1, first = "eth" }, { name = "tun0", linktype = 101, first = "ip" } },
        file.interfaces)
      local first <const>, second <const> = file:next(), file:next()
      assert.equal("eth0 in hello 1.5", ("%s %s %s %s"):format(first.link, first.dir, first.comment, first.time))
      assert.equal("hello", first:copy().comment)
      assert.equal("tun0 out", ("%s %s"):format(second.link, second.dir))
      assert.equal(1700000000.25, second.time)
      assert.equal(bytes.eth, first:bytes())
      assert.equal(bytes.ip4, second:bytes())
      assert.is_nil(file:next())
      assert.is_nil(file:next())
    end)
  end

  it("reckons times in every resolution", function()
    for resolution, ticks in pairs { ["\0"] = 3, ["\3"] = 3000, ["\12"] = 3000000000000, ["\x80"] = 3, ["\x8a"] = 3072 } do
      local pkt <const> = packets_of(bytes.section "<" .. bytes.interface("<", RAW, { { 9, resolution } })
        .. bytes.packet("<", 0, ticks, bytes.ip4))[1]
      assert.equal(3, pkt.time)
    end
  end)

  it("takes simple and obsolete packets", function()
    local packets <const> = packets_of(bytes.section "<" .. bytes.interface("<", RAW, nil, 24)
      .. bytes.block("<", 3, string.pack("<I4", #bytes.ip4) .. bytes.ip4:sub(1, 24))
      .. bytes.block("<", 2, string.pack("<I2I2I4I4I4I4", 0, 9, 0, 1000000, #bytes.ip4, #bytes.ip4) .. bytes.ip4))
    assert.equal(bytes.ip4:sub(1, 24), packets[1]:bytes())
    assert.equal(#bytes.ip4 - 24, packets[1].cut)
    assert.equal(bytes.ip4, packets[2]:bytes())
    assert.equal(1, packets[2].time)
  end)

  it("numbers the interfaces of each section anew", function()
    local file <const> = assert(opened(
      bytes.section "<" .. bytes.interface("<", RAW, { { 2, "a" } }) .. bytes.packet("<", 0, 1, bytes.ip4)
      .. bytes.section ">" .. bytes.interface(">", ETHERNET, { { 2, "b" } }) .. bytes.packet(">", 0, 1, bytes.eth)))
    assert.equal("a", file:next().link)
    assert.equal("b", file:next().link)
  end)

  it("steps over blocks and options that it does not know", function()
    local packets <const> = packets_of(bytes.section "<" .. bytes.block("<", 4, "names") .. bytes.interface("<", RAW, { { 99, "?" } })
      .. bytes.block("<", 0x80000001, ("x"):rep(9999)) .. bytes.packet("<", 0, 1, bytes.ip4, { { 2988, "custom" }, { 1, "kept" } }))
    assert.equal("kept", packets[1].comment)
  end)

  it("passes over the packets of interfaces that it cannot read", function()
    local file <const> = assert(opened(bytes.section "<" .. bytes.interface("<", 105) .. bytes.interface("<", RAW)
      .. bytes.packet("<", 0, 1, "radio") .. bytes.packet("<", 1, 1, bytes.ip4)))
    assert.equal(bytes.ip4, file:next():bytes())
    assert.equal(1, file.skipped)
  end)
end)

describe("packets()", function()
  it("gives those that match, Ethernet and IP alike", function()
    local content <const> = bytes.section "<" .. bytes.interface("<", RAW) .. bytes.interface("<", ETHERNET)
      .. bytes.packet("<", 0, 1, bytes.ip6) .. bytes.packet("<", 0, 1, bytes.ip4) .. bytes.packet("<", 1, 1, bytes.eth)
    assert.equal(2, #packets_of(content, "icmp"))
    assert.equal(1, #packets_of(content, "icmp6"))
    assert.equal(1, #packets_of(content, "ether src 02:00:00:00:00:09"))
    assert.has_error(function() packets_of(content, "icpm") end)
    assert.equal(2, #packets_of(content, { icmp = true }))
    assert.equal(1, #packets_of(content, { ["ipv6.nxt"] = 58 }))
    assert.equal(1, #packets_of(content, { ["eth.src"] = "02:00:00:00:00:09" }))
    assert.equal(1, #packets_of(content, { any = { { ["eth.type"] = 0x86dd }, { ipv6 = true } } }))
    assert.equal(3, #packets_of(content, {}))
    assert.equal(3, #packets_of(content, ""))
    for match, why in pairs {
      [{ ["icmp.tpye"] = 8 }] = "did you mean .type", [{ ["ip.ttl"] = 256 }] = "256", [print] = "packets: match must be",
      [true] = "match",
    } do
      assert.matches(why, select(2, pcall(packets_of, content, match)))
    end
  end)

  it("gives packets of the script's own, that stay and may be written", function()
    local packets <const> = packets_of(bytes.pcap("<", RAW, { { bytes.ip4 }, { bytes.ip4 } }))
    packets[1].ip.ttl = 9
    assert.equal("9 64", ("%d %d"):format(packets[1].ip.ttl, packets[2].ip.ttl))
  end)
end)

describe("a bad file", function()
  local function refused(content)
    local file <const>, why <const>, code <const> = opened(content)
    assert.is_nil(file)
    assert.is_true(math.type(code) == "integer" and code > 0)
    assert.equal(path, why:sub(1, #path))
    assert.is_nil(why:find "\n")
    return why
  end

  it("is refused with what, why and what to do", function()
    assert.matches("is empty %(give a pcap or pcapng file%)", refused "")
    assert.matches("give a pcap or pcapng file", refused "no packets here, only text")
    assert.matches("link type 105.*can be read", refused(bytes.pcap("<", 105, {})))
    assert.matches("no known byte order", refused(bytes.hex "0a0d0d0a 1c000000 00000000 00000000"))
    assert.matches("ends within a block", refused(bytes.section("<"):sub(1, 20)))
    local _ <const>, why <const>, code <const> = mt.pcap.open "/nowhere/at.pcap"
    assert.matches("^/nowhere/at.pcap: cannot open: No such file or directory %(", why)
    assert.equal(2, code)
    assert.matches("Is a directory", (select(2, mt.pcap.open "/")))
  end)

  it("raises in a loop at the damage, behind the packets before it", function()
    local whole <const> = bytes.section "<" .. bytes.interface("<", RAW) .. bytes.packet("<", 0, 1, bytes.ip4)
    for _, damage in ipairs { bytes.packet("<", 7, 1, bytes.ip4), bytes.packet("<", 0, 1, bytes.ip4):sub(1, -2),
      bytes.block("<", 6, "short"), (bytes.packet("<", 0, 1, bytes.ip4):gsub("....$", "\0\0\0\1")) } do
      local seen = 0
      local ok <const>, why <const> = pcall(function()
        for _ in assert(opened(whole .. damage)):packets() do seen = seen + 1 end
      end)
      assert.is_false(ok)
      assert.matches("at byte %d+", why)
      assert.equal(1, seen)
      local file <const> = opened(whole .. damage)
      file:next()
      local pkt <const>, reason <const>, code <const> = file:next()
      assert.is_nil(pkt)
      assert.is_string(reason)
      assert.equal(22, code)
      assert.equal(1, select("#", file:next()))
    end
  end)

  it("is no mistake of ours that goes unsaid", function()
    local file <const> = assert(opened(bytes.pcap("<", RAW, { { bytes.ip4 } })))
    assert.has_error(function() return file.interface end)
    file:close()
    file:close()
    assert.has_error(function() file:next() end, "pcap: the file is closed")
    assert.has_error(function() mt.pcap.open(path, "x") end)
  end)
end)

describe("writing pcapng", function()
  it("keeps what was read: bytes, link, direction, cut, comment, time", function()
    local order <const> = ">"
    local source <const> = packets_of(bytes.section(order)
      .. bytes.interface(order, ETHERNET, { { 2, "eth0" }, { 9, "\9" } }) .. bytes.interface(order, RAW, { { 2, "tun0" } })
      .. bytes.packet(order, 0, 1700000000123456789, bytes.eth, { { 2, string.pack(order .. "I4", 1) }, { 1, "hello" } })
      .. bytes.packet(order, 1, 5, bytes.ip4:sub(1, 30), nil, 36))
    local out <close> = assert(mt.pcap.open(path, "w"))
    for _, pkt in ipairs(source) do assert.equal(out, out:write(pkt)) end
    out:close()
    local file <const> = assert(mt.pcap.open(path))
    assert.same({ { name = "eth0", linktype = 1, first = "eth" } }, file.interfaces)
    for _, was in ipairs(source) do
      local pkt <const> = file:next()
      assert.equal(was:bytes(), pkt:bytes())
      for _, name in ipairs { "link", "dir", "cut", "comment", "time" } do assert.equal(was[name], pkt[name]) end
    end
    assert.is_nil(file:next())
    assert.same({ name = "tun0", linktype = 101, first = "ip" }, file.interfaces[2])
  end)

  it("takes interface, direction, comment and time from the script", function()
    do
      local out <close> = assert(mt.pcap.open(path, "w"))
      local pkt <const> = mt.packet(bytes.ip4, "ip")
      out:write(pkt, { interface = "lan", dir = "out", comment = "made up", time = 12.5 }):write(pkt)
      out:write(mt.packet(bytes.eth, "eth"), { interface = "lan" })
    end
    local file <const> = assert(mt.pcap.open(path))
    local first <const>, second <const>, third <const> = file:next(), file:next(), file:next()
    assert.equal("lan out made up 12.5", ("%s %s %s %s"):format(first.link, first.dir, first.comment, first.time))
    assert.is_nil(second.link)
    assert.is_nil(second.dir)
    assert.is_true(math.abs(second.time - mt.now()) < 5)
    assert.equal("lan", third.link)
    assert.equal(3, #file.interfaces)
  end)

  it("names the port that a packet came by", function()
    local near <const>, far <const> = mt.pair("ip", "near", "far")
    local out <const> = assert(mt.pcap.open(path, "w"))
    far:on(nil, function(pkt)
      out:write(pkt)
      return "handled"
    end)
    near:send(mt.packet(bytes.ip4, "ip"))
    mt.sleep(0.05)
    near:close()
    far:close()
    out:close()
    local pkt <const> = assert(mt.pcap.open(path)):next()
    assert.equal("far", pkt.link)
    assert.is_true(math.abs(pkt.time - mt.now()) < 5)
  end)

  it("raises where it cannot write, and says so at once when it opens", function()
    local file <const>, why <const>, code <const> = mt.pcap.open("/nowhere/at.pcapng", "w")
    assert.is_nil(file)
    assert.matches("^/nowhere/at.pcapng: cannot write: No such file or directory %(", why)
    assert.equal(2, code)
    local full <const> = assert(mt.pcap.open("/dev/full", "w"))
    full:write(mt.packet(bytes.ip4, "ip"))
    assert.has_error(function() full:flush() end,
      "/dev/full: cannot write: No space left on device (make room or write elsewhere; what is in it can be read)")
    assert.has_error(function() full:write(mt.packet(bytes.ip4, "ip")) end)
    full:close() -- it has been said
    local other <const> = assert(mt.pcap.open("/dev/full", "w"))
    assert.has_error(function() other:close() end)
  end)

  it("refuses what makes no sense, by name", function()
    local out <const> = assert(mt.pcap.open(path, "w"))
    local pkt <const> = mt.packet(bytes.ip4, "ip")
    for _, wrong in ipairs { { coment = "x" }, { dir = "up" }, { comment = 7 }, { time = -1 }, { interface = {} } } do
      assert.has_error(function() out:write(pkt, wrong) end)
    end
    assert.has_error(function() out:write("bytes") end)
    assert.has_error(function() return out.packets end)
    out:close()
    assert.has_error(function() out:write(pkt) end, "pcap: the file is closed")
    assert.is_nil(assert(mt.pcap.open(path)):next())
  end)
end)
