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

  it("ends with the child, whoever still holds its output, whose lines come later", function()
    local go <const>, said <const> = os.tmpname(), {}
    local function say(text) said[#said + 1] = text end
    os.remove(go)
    assert.are.equal(0, assert(mt.spawn {
      "sh", "-c", "(while [ ! -e $0 ]; do sleep 0.02; done; echo ly; echo later; exec sleep 100) & echo first; printf late",
      go, on_line = say, on_exit = say,
    }):wait())
    assert.are.same({ "first", 0 }, said)
    collectgarbage()
    io.open(go, "w"):close()
    local give_up <const> = mt.now() + 10
    while #said < 4 and mt.now() < give_up do mt.sleep(0.01) end
    os.remove(go)
    assert.are.same({ "first", 0, "lately", "later" }, said)
  end)

  it("ends with the child, though another writes without end", function()
    local pid
    local function on_line(line)
      pid = line:match "^pid (%d+)$" or pid
      local slow <const> = mt.now() + 0.005
      while mt.now() < slow do end
    end
    local long <const> = ("y"):rep(4000)
    assert.are.equal(3, assert(mt.spawn { "sh", "-c", "yes $0 & echo pid $!; sleep 0.1; exit 3", long, on_line = on_line }):wait())
    assert.are.equal(0, assert(mt.spawn { "kill", pid }):wait())
  end)
end)
