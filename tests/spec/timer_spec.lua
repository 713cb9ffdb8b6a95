-- Time: scripts wait while packets flow.
local mt <const> = require "moontap"

describe("time", function()
  it("passes in mt.sleep", function()
    local before <const> = mt.now()
    mt.sleep(0.05)
    local passed <const> = mt.now() - before
    assert.is_true(passed >= 0.05 and passed < 5)
  end)

  it("calls after functions once and every functions until cancelled", function()
    local once, many = 0, 0
    mt.after(0.01, function() once = once + 1 end)
    local every <const> = mt.every(0.01, function() many = many + 1 end)
    mt.sleep(0.2)
    every:cancel()
    local seen <const> = many
    mt.sleep(0.05)
    assert.equal(1, once)
    assert.is_true(seen >= 3)
    assert.equal(seen, many)
  end)

  it("is shared by coroutines of mt.go", function()
    local order <const> = {}
    mt.go(function(name)
      mt.sleep(0.02)
      order[#order + 1] = name
    end, "late")
    mt.go(function() order[#order + 1] = "early" end)
    mt.sleep(0.1)
    assert.same({ "early", "late" }, order)
  end)

  it("is refused where it makes no sense", function()
    assert.has_error(function() mt.sleep(-1) end)
    assert.has_error(function() mt.every(0, print) end)
    assert.has_error(function() mt.after(1) end)
  end)
end)
