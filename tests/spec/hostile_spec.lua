-- The hostile set over ports in memory: who lies gets no answer, and every packet is counted once.
local mt <const> = require "moontap"

-- Next to this file, from wherever it is run.
local here <const> = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
local hostile <const>, frames <const> = dofile(here .. "hostile.lua"), dofile(here .. "frames.lua")

-- Whether the checksums of an answer verify, whatever was expected of its bytes.
local function verifies(first, bytes)
  if first == "ip" then return frames.verifies(bytes) end
  local datagram <const>, type <const> = frames.inside(bytes)
  return type == 0x0806 or frames.verifies(datagram)
end

for _, first in ipairs { "eth", "ip" } do
  describe("the reflector on a port that carries " .. first .. " packets", function()
    local near, far, got

    setup(function()
      near, far = mt.pair(first, "near", "far")
      far:on(nil, mt.reflect {
        net = { "192.0.2.0/24", "2001:db8::/64" },
        except = { "192.0.2.1", "2001:db8::1" },
        mac = first == "eth" and "02:00:00:00:00:02" or nil,
      })
      near:on(nil, function(pkt)
        got[#got + 1] = frames.hex(pkt:bytes())
        return "handled"
      end)
    end)

    teardown(function()
      near:close()
      far:close()
    end)

    before_each(function() got = {} end)

    -- Until both ends have counted what was sent to them.
    local function settle()
      local give_up <const> = mt.now() + 10
      while far.counters.rx_packets < near.counters.tx_packets or near.counters.rx_packets < far.counters.tx_packets do
        assert(mt.now() < give_up, "the packets do not arrive")
        mt.sleep(0.001)
      end
    end

    for _, case in ipairs(hostile.cases) do
      if case.first == first then
        it((case.answer == "silent" and "is silent: " or "answers: ") .. case.name, function()
          local before <const> = far.counters
          near:send(case.frame)
          settle()
          local after <const> = far.counters
          assert.equal(before.rx_packets + 1, after.rx_packets)
          if case.drop then
            assert.same({}, got)
            assert.equal(before.drops[case.drop] + 1, after.drops[case.drop], "drop reason " .. case.drop)
            return
          end
          assert.equal(before.replied + 1, after.replied)
          assert.equal(1, #got)
          if not got[1]:match("^" .. case.expect .. "$") then assert.equal(case.expect, got[1]) end
          local answer <const> = frames.bytes(got[1])
          assert.is_true(verifies(first, answer), "a checksum of the answer is wrong")
          assert.is_true(case.grows or #answer <= #case.frame, "the answer is longer than the request")
        end)
      end
    end

    it("counts every packet once", function()
      local c <const> = far.counters
      local dropped = 0
      for _, n in pairs(c.drops) do dropped = dropped + n end
      assert.equal(c.rx_packets, c.replied + c.rewritten + c.passed + c.dropped + c.handled)
      assert.equal(c.dropped, dropped)
      assert.equal(c.replied, c.tx_packets + c.tx_dropped)
      assert.equal(0, c.tx_dropped)
      assert.equal(0, c.script_errors)
    end)

    it("never answers an answer", function()
      for _, case in ipairs(hostile.cases) do
        if case.first == first and case.expect and not case.expect:find(".", 1, true) then
          near:send(frames.bytes(case.expect))
          settle()
        end
      end
      assert.same({}, got)
    end)
  end)
end

describe("the hostile set", function()
  it("has at least 150 frames, each with a name of its own", function()
    local seen <const>, count = {}, 0
    for _, case in ipairs(hostile.cases) do
      assert.is_nil(seen[case.name], case.name)
      seen[case.name] = true
      if case.first == "eth" then count = count + 1 end
      assert.is_true((case.answer == "silent") == (case.expect == nil), case.name)
    end
    assert.is_true(count >= 150)
  end)
end)
