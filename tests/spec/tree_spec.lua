-- pkt:tree(): every field under its layer, with its word, its place, and whether checksums are right.
local mt <const> = require "moontap"
local wrong <const> = require("tests.spec.recorder").wrong
local here <const> = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
local captures <const> = dofile(here .. "../e2e/captures.lua")

local function lines_of(tree)
  local lines <const> = {}
  for line in tree:gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function echo()
  return mt.packet { { "eth", src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" },
    { "ip", src = "192.168.1.134", dst = "192.168.1.100" }, { "icmp", type = 8, ident = 7, seq = 1 }, "hello" }
end

describe("a packet's tree", function()
  it("has a line a layer with its bytes, a line a field with its word", function()
    assert.equal([[
eth, bytes 0 to 13 (14)
  dst          02:00:00:00:00:02
  src          02:00:00:00:00:01
  type         0x0800 (ip)
ip, bytes 14 to 33 (20)
  version      4
  hdr_len      20
  dscp         0 (cs0)
  ecn          0 (not-ect)
  len          33
  id           0
  df           true
  mf           false
  frag_offset  0
  ttl          64
  proto        1 (icmp)
  checksum     0xb6a1, right
  src          192.168.1.134
  dst          192.168.1.100
icmp, bytes 34 to 41 (8)
  type         8 (echo-request)
  code         0
  checksum     0xb425, right
  ident        7
  seq          1
payload, bytes 42 to 46 (5)
  68 65 6c 6c 6f                                   hello
]], echo():tree())
  end)

  it("says which checksums are wrong", function()
    local _ <close> = wrong "checksums by hand"
    local pkt <const> = echo()
    pkt.ip.checksum = 1
    assert.is_truthy(pkt:tree():find("checksum     0x0001, wrong\n  src ", 1, true))
    assert.is_truthy(pkt:tree():find("checksum     0xb425, right\n  ident ", 1, true))
    pkt.icmp.checksum = 2
    assert.is_truthy(pkt:tree():find("checksum     0x0002, wrong\n  ident ", 1, true))
  end)

  it("judges no checksum that a fragment or a sender leaves open", function()
    local udp <const> = mt.packet { { "ip" }, { "udp", checksum = 0 }, "x" }
    assert.is_truthy(udp:tree():find("checksum     0x0000, none\n", 1, true))
    local part <const> = mt.packet { { "ip", mf = true }, { "udp", checksum = 5 }, "x" }
    assert.is_truthy(part:tree():find("checksum     0x0005\n", 1, true))
  end)

  it("says where a header does not fit", function()
    local tree <const> = mt.packet(echo():bytes(1, 38), "eth"):tree()
    assert.is_truthy(tree:find("malformed at byte 14: total_length\n  the IP length is larger", 1, true))
    assert.equal("malformed at byte 0: truncated\n  the packet ends inside a header\n", mt.packet("", "ip"):tree())
  end)

  it("names flags", function()
    local tree <const> = mt.packet { { "ip" }, { "tcp", syn = true, ack_flag = true } }:tree()
    assert.is_truthy(tree:find("flags        0x0012 (syn|ack)\n", 1, true))
  end)

  it("indents the packets inside, counting bytes from the outermost's first", function()
    local inner <const> = echo():bytes(15)
    local outer <const> = mt.packet { { "ip", proto = 4 }, inner }
    local lines <const> = lines_of(outer:tree())
    assert.equal("inner, bytes 20 to 52 (33)", lines[16])
    assert.equal("  ip, bytes 20 to 39 (20)", lines[17])
    assert.equal("  icmp, bytes 40 to 47 (8)", lines[32])
  end)

  it("shows every field of every captured packet, in 80 columns", function()
    local shown = 0
    for _, capture in ipairs(captures.list()) do
      for pkt in captures.packets(capture.path) do
        local tree <const> = pkt:tree()
        for _, line in ipairs(lines_of(tree)) do
          assert.is_true(#line <= 80 and not line:find "[^ -~]", line)
        end
        for _, field in ipairs(mt.fields()) do
          if pkt:get(field.name) ~= nil then
            local layer <const>, name <const> = field.name:match "(.*)%.(.*)"
            local start <const> = ("\n" .. tree):find("\n" .. layer .. ", bytes ", 1, true)
            assert.is_truthy(start and tree:find("\n  " .. name .. " ", start, true), field.name)
            shown = shown + 1
          end
        end
      end
    end
    assert.is_true(shown > 10000)
  end)
end)
