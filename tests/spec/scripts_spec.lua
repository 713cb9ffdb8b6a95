-- The shipped scripts, offline: what each does with the packets it is there for.
local testing <const> = require "moontap.testing"
local frames <const> = require "tests.spec.frames"

local addr4 <const> = frames.addr4
local kernel <const> = { src = addr4 "192.168.1.134", dst = addr4 "192.168.1.100" }
local kernel6 <const> = {
  src = frames.bytes "20010db8000100000000000000000134", dst = frames.bytes "20010db8000100000000000000000100",
}

local function echo4(t)
  return frames.ip4(frames.with(kernel, t), frames.icmp {})
end

local function echo6(t)
  t = frames.with(kernel6, t)
  return frames.ip6(t, frames.icmp6(t))
end

local function is_answered(out, from, to)
  assert.equal(1, #out)
  assert.equal("tun0", out[1].port)
  assert.is_nil(out[1].reason)
  local ip <const> = out[1].packet.ip or out[1].packet.ipv6
  assert.equal(from, ip.src)
  assert.equal(to, ip.dst)
  assert.equal(out[1].packet.icmp and 0 or 129, (out[1].packet.icmp or out[1].packet.icmpv6).type)
  assert.is_true(frames.verifies(out[1].packet:bytes()))
  return out[1]
end

describe("ping.lua", function()
  it("answers for every address of its prefixes but the kernel's own", function()
    local t <close> = testing.load "scripts/ping.lua"
    assert.equal("reply", is_answered(t:send("tun0", echo4()), "192.168.1.100", "192.168.1.134").verdict)
    is_answered(t:send("tun0", echo6()), "2001:db8:1::100", "2001:db8:1::134")
    local out <const> = t:send("tun0", echo4 { dst = addr4 "192.168.1.134", src = addr4 "192.168.1.7" })
    assert.equal("drop", out[1].verdict)
    assert.equal("policy", out[1].reason)
    assert.is_nil(out[1].rule)
    assert.equal("drop", t:send("tun0", echo4 { dst = addr4 "192.168.2.1" })[1].verdict)
  end)

  it("makes tun0 with an address of each family", function()
    local t <close> = testing.load "scripts/ping.lua"
    assert.same({
      "ip tuntap add dev tun0 mode tun",
      "ip addr add 192.168.1.134/24 dev tun0",
      "ip addr add 2001:db8:1::134/64 dev tun0 nodad",
      "ip link set tun0 up",
    }, t.network)
    assert.matches("answering pings on tun0", t.log)
  end)
end)

describe("ping_by_hand.lua", function()
  it("answers, and prints what it read and wrote", function()
    local t <close> = testing.load "scripts/ping_by_hand.lua"
    local seen <const> = is_answered(t:send("tun0", echo4()), "192.168.1.100", "192.168.1.134")
    assert.equal("rewrite", seen.verdict)
    assert.matches("ping_by_hand.lua:%d+", seen.rule)
    is_answered(t:send("tun0", echo6()), "2001:db8:1::100", "2001:db8:1::134")
    assert.matches("^read 36 bytes: IP 192.168.1.134 > 192.168.1.100: ICMP echo request", t.output)
    assert.matches("\nwrote 56 bytes: IP6 2001:db8:1::100 > 2001:db8:1::134: ICMP6, echo reply", t.output)
  end)
end)

describe("ping_tap.lua", function()
  it("answers ARP, then echo requests, as its port's MAC", function()
    local t <close> = testing.load "scripts/ping_tap.lua"
    local mac <const> = t.log:match "as ([%x:]+)"
    local ask <const> = frames.arp { spa = kernel.src, tpa = kernel.dst }
    local arp <const> = t:send("tap0", frames.eth(0x0806, ask, { to = ("\xff"):rep(6) }))[1]
    assert.equal("reply", arp.verdict)
    assert.equal(2, arp.packet.arp.opcode)
    assert.equal(mac, arp.packet.arp.src_mac)
    local to <const> = frames.bytes((mac:gsub(":", "")))
    local echo <const> = t:send("tap0", frames.eth(0x0800, echo4(), { to = to }))[1]
    assert.equal("reply", echo.verdict)
    assert.equal(mac, echo.packet.eth.src)
  end)
end)

describe("watch.lua", function()
  it("prints each packet and answers none", function()
    local t <close> = testing.load "scripts/watch.lua"
    local out <const> = t:send("tun0", echo4())
    assert.equal("drop", out[1].verdict)
    assert.equal("36 bytes: " .. tostring(out[1].packet) .. "\n", t.output)
  end)
end)

describe("tun_lifecycle.lua", function()
  it("shows tun0 from its making to its end", function()
    local t <close> = testing.load "scripts/tun_lifecycle.lua"
    assert.same({
      "ip tuntap add dev tun0 mode tun",
      "ip link set tun0 up",
      "ip addr add 192.168.1.134/24 dev tun0",
      "ip route add 192.168.0.1/32 dev tun0",
    }, t.network)
    local before <const>, after <const> = t.output:match "^(.*)\ndeleted:(.*)$"
    assert.matches("\n2 +tun0 +tun +false", before)
    assert.matches("\n192.168.0.1/32 +%- +tun0 ", before)
    assert.not_matches("tun0 +tun", after)
    assert.matches("\n0 routes\n$", after)
    assert.same({}, t.ports)
    assert.equal(0, t.stopped)
  end)
end)

describe("veth_tour.lua", function()
  it("tells of both ends, sets what they need, and deletes them", function()
    local t <close> = testing.load "scripts/veth_tour.lua"
    t:advance(1)
    assert.same({
      "ip link add veth0 type veth peer name veth1",
      "ip addr add 10.1.1.1/24 dev veth0",
      "ip link set veth0 up",
      "ip addr add 10.1.1.2/24 dev veth1",
      "ip link set veth1 up",
      "sysctl -w net.ipv4.conf.veth1.accept_local=1",
      "sysctl -w net.ipv4.conf.veth1.rp_filter=0",
      "sysctl -w net.ipv4.conf.all.rp_filter=0",
      "ip link del veth0",
    }, t.network)
    assert.matches("the kernel says: veth1 is gone\n", t.output)
    assert.equal(0, t.stopped)
  end)
end)

describe("doctor.lua", function()
  it("changes nothing, and ends with what it found", function()
    local t <close> = testing.load "scripts/doctor.lua"
    t:advance(10)
    assert.same({}, t.network)
    assert.matches(t.stopped == 0 and "\nnothing wrong found\n$" or "\ncause: [^\n]+\nfix: +[^\n]+\n$", t.output)
  end)
end)

describe("veth_responder.lua", function()
  it("answers for 10.1.1.0/24 at the far end, and not for the near end's own address", function()
    local t <close> = testing.load "scripts/veth_responder.lua"
    local function ask(addr)
      local arp <const> = frames.arp { spa = addr4 "10.1.1.1", tpa = addr4(addr) }
      return t:send("veth1", frames.eth(0x0806, arp, { to = ("\xff"):rep(6) }))[1]
    end
    assert.equal("reply", ask("10.1.1.2").verdict)
    assert.equal("10.1.1.2", ask("10.1.1.2").packet.arp.src_ip)
    assert.equal("drop", ask("10.1.1.1").verdict)
    assert.equal("drop", ask("10.1.2.1").verdict)
    assert.equal(0, t.stopped)
    assert.equal("ip netns add lab", t.network[1])
  end)
end)
