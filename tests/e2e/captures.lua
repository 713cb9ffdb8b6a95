-- The captures that the conformance tests read.
local mt <const> = require "moontap"

local M <const> = {}

local DIRECTORY <const> = (debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "../captures/"

-- name, path of each, in order.
function M.list()
  local found <const> = {}
  local paths <close> = assert(io.popen("ls " .. DIRECTORY .. "*.pcap"))
  for path in paths:lines() do
    found[#found + 1] = { name = path:match "([^/]+)%.pcap$", path = path }
  end
  assert(#found > 0, "no captures in " .. DIRECTORY)
  return found
end

function M.packets(path)
  return assert(mt.pcap.open(path)):packets()
end

return M
