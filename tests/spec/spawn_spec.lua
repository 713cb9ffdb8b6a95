-- A child belongs to the host until it has ended, whatever its arguments are and whoever forgets it.
local mt <const> = require "moontap"

describe("mt.spawn", function()
  it("keeps a child with numbers among its arguments, that nobody else keeps", function()
    local gone <const> = setmetatable({}, { __mode = "v" })
    gone[1] = assert(mt.spawn { "sh", "-c", "exit 3", 1, 2.5, on_line = function() end })
    collectgarbage()
    assert.is_truthy(gone[1])
    assert.are.equal(3, gone[1]:wait())
  end)

  it("takes numbers as words", function()
    local lines <const> = {}
    assert(mt.spawn { "echo", 1, 2.5, "three", on_line = function(line) lines[#lines + 1] = line end }):wait()
    assert.are.same({ "1 2.5 three" }, lines)
  end)
end)
