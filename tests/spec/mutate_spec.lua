-- mt.fuzz and mt.corrupt: each seed another packet, legal ones and ones that lie.
local mt <const> = require "moontap"
local frames <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "frames.lua")

local SEEDS <const> = 200
-- What an error quotes.
local quoted <const> = mt.packet({ { "ip" }, { "udp" }, "quoted" }):bytes()
local STACKS <const> = {
  { { "ip" }, { "icmp" } }, { { "ip" }, { "icmp", type = 3 }, quoted }, { { "ip" }, { "udp" } }, { { "ip" }, { "tcp" } },
  { { "ipv6" }, { "icmpv6" } }, { { "ipv6" }, { "icmpv6", type = 135 } }, { { "ipv6" }, { "udp" } },
  { { "ipv6" }, { "tcp" } }, { { "eth" }, { "arp" } }, { { "eth" }, { "ip" }, { "udp" } },
  { { "eth" }, { "vlan" }, { "vlan" }, { "ipv6" }, { "tcp" } },
}

-- Not behind ARP and neighbour discovery, nor twice.
local function has_payload(layer)
  return type(layer) == "table" and layer[1] ~= "arp" and layer.type ~= 135
end

-- Calls fn with each packet and each seed.
local function each(fn)
  for _, stack in ipairs(STACKS) do
    local list <const> = { table.unpack(stack) }
    if has_payload(list[#list]) then list[#list + 1] = "payload" end
    local pkt <const> = mt.packet(list)
    for seed = 1, SEEDS do fn(pkt, seed) end
  end
end

local function datagram_of(pkt)
  return pkt.eth and frames.inside(pkt:bytes()) or pkt:bytes()
end

local function is_right(pkt)
  if pkt.malformed then return false end
  if pkt.arp then return true end
  local datagram <const> = datagram_of(pkt)
  if pkt.udp and pkt.udp.length ~= 8 + #pkt.payload then return false end
  local length <const> = pkt.ip and pkt.ip.len or pkt.ipv6.plen + 40
  return length == #datagram and frames.verifies(datagram)
end

describe("mt.fuzz", function()
  it("makes packets of the same layers, with lengths and checksums right", function()
    each(function(pkt, seed)
      local other <const> = mt.fuzz(pkt, seed)
      assert.is_true(is_right(other), seed)
      assert.same(pkt:layers(), other:layers())
    end)
  end)

  it("is the same for the same seed, and leaves the packet it is given", function()
    each(function(pkt, seed)
      local was <const> = pkt:bytes()
      assert.equal(mt.fuzz(pkt, seed):bytes(), mt.fuzz(pkt, seed):bytes())
      assert.not_equal(mt.fuzz(pkt, seed):bytes(), mt.fuzz(pkt, seed + SEEDS):bytes())
      assert.equal(was, pkt:bytes())
    end)
  end)

  it("gives each field many values", function()
    local seen <const> = {}
    local pkt <const> = mt.packet { { "eth" }, { "vlan" }, { "ip" }, { "tcp" } }
    for seed = 1, SEEDS do
      local other <const> = mt.fuzz(pkt, seed)
      for _, name in ipairs { "eth.src", "eth.dst", "vlan.id", "vlan.priority", "ip.ttl", "ip.id", "ip.src", "ip.dst",
        "ip.dscp", "tcp.srcport", "tcp.seq", "tcp.window", "tcp.flags" } do
        seen[name] = seen[name] or {}
        seen[name][other:get(name)] = true
      end
    end
    for name, values in pairs(seen) do
      local count = 0
      for _ in pairs(values) do count = count + 1 end
      assert.is_true(count >= 5, name)
    end
  end)

  it("varies the packets in a tunnel too, lengths and checksums of all of them right", function()
    local seen <const> = {}
    for _, stack in ipairs {
      { { "ip" }, { "udp" }, { "vxlan" }, { "eth" }, { "ip" }, { "tcp", mss = 1460, wscale = 7 }, "payload" },
      { { "ipv6" }, { "gre", key = 1 }, { "ip" }, { "ipv6" }, { "udp" }, "payload" },
    } do
      local pkt <const> = mt.packet(stack)
      for seed = 1, SEEDS do
        local other <const> = mt.fuzz(pkt, seed)
        local inside, was = other, pkt
        while inside do
          assert.same(was:layers(), inside:layers())
          assert.is_nil(inside.malformed)
          assert.is_nil(inside:tree():find ", wrong\n")
          for _, name in ipairs { "ip.src", "ip.id", "ipv6.src", "ipv6.flow", "tcp.seq", "tcp.mss", "tcp.wscale", "udp.srcport",
            "vxlan.vni", "gre.key", "eth.src" } do
            local value <const> = inside:get(name)
            if value then
              local key <const> = (inside == other and "" or "inner.") .. name
              seen[key] = seen[key] or {}
              seen[key][value] = true
            end
          end
          if not inside.inner then
            seen.payload = seen.payload or {}
            seen.payload[#inside.payload] = true
            assert.is_true(not inside.tcp or inside.tcp.wscale <= 14)
          end
          inside, was = inside.inner, was.inner
        end
      end
    end
    local names = 0
    for name, values in pairs(seen) do
      local count = 0
      for _ in pairs(values) do count = count + 1 end
      assert.is_true(count >= 10, name)
      names = names + 1
    end
    assert.is_true(names > 15, names)
  end)

  it("makes packets that may be answered", function()
    for seed = 1, SEEDS do
      mt.fuzz(mt.packet { { "eth" }, { "ip" }, { "udp" } }, seed):turn()
    end
  end)

  it("refuses a malformed packet", function()
    assert.error_matches(function() mt.fuzz(mt.packet("\x45", "ip"), 1) end, "malformed")
    assert.error_matches(function() mt.fuzz(mt.packet { { "ip" } }) end, "number expected")
  end)
end)

describe("mt.corrupt", function()
  it("makes packets that are malformed, or whose checksums are wrong", function()
    each(function(pkt, seed)
      local other <const> = mt.corrupt(pkt, seed)
      assert.is_false(is_right(other), seed)
      tostring(other)
    end)
  end)

  it("is the same for the same seed, and leaves the packet it is given", function()
    each(function(pkt, seed)
      local was <const> = pkt:bytes()
      assert.equal(mt.corrupt(pkt, seed):bytes(), mt.corrupt(pkt, seed):bytes())
      assert.equal(was, pkt:bytes())
    end)
  end)

  it("lies in many ways", function()
    local ways <const> = {}
    each(function(pkt, seed)
      ways[(mt.corrupt(pkt, seed).malformed or "checksum"):match "^%a+"] = true
    end)
    for _, way in ipairs { "checksum", "truncated", "version", "header", "total", "udp", "fragment", "extension",
      "hardware", "options" } do
      assert.is_true(ways[way], way)
    end
  end)

  it("lets nothing out that may be answered", function()
    each(function(pkt, seed)
      assert.is_false(pcall(function() mt.corrupt(pkt, seed):turn() end))
    end)
  end)

  it("cuts a frame of which nothing else is known", function()
    for seed = 1, SEEDS do
      assert.matches("truncated", mt.corrupt(mt.packet { { "eth" }, ("x"):rep(100) }, seed).malformed)
    end
  end)

  it("refuses what has nothing to corrupt", function()
    assert.error_matches(function() mt.corrupt(mt.packet("", "ip"), 1) end, "empty")
  end)
end)
