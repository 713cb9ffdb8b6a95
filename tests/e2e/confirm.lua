-- Asks ip what there is, and compares: for the tests of the network bindings.
local mt <const> = require "moontap"
local json <const> = require "dkjson"

local confirm <const> = {}

-- What the command says, and its status.
function confirm.output(command, netns)
  local lines = {}
  local wish = { netns = netns, on_line = function(line) lines[#lines + 1] = line end }
  for word in command:gmatch "%S+" do wish[#wish + 1] = word end
  local status = assert(mt.spawn(wish)):wait()
  return table.concat(lines, "\n"), status
end

-- The decoded answer of ip -json.
function confirm.ip(args, netns)
  return json.decode((confirm.output("ip -d -json " .. args, netns))) or {}
end

-- Every field of wanted, at any depth.
function confirm.has(what, got, wanted)
  if type(wanted) ~= "table" then
    if got ~= wanted then
      error(("%s: got %s, wanted %s"):format(what, tostring(got), tostring(wanted)), 0)
    end
    return
  end
  if type(got) ~= "table" then error(what .. ": is missing", 0) end
  for key, value in pairs(wanted) do confirm.has(what .. "." .. tostring(key), got[key], value) end
end

function confirm.find(list, wanted)
  for _, entry in ipairs(list) do
    local is = true
    for key, value in pairs(wanted) do is = is and entry[key] == value end
    if is then return entry end
  end
end

-- fn(...) raises or returns nil, and the words are said.
function confirm.refused(wanted, fn, ...)
  local ok, first, why = pcall(fn, ...)
  local text = tostring(ok and why or first)
  if ok and first ~= nil then error("not refused: " .. wanted, 0) end
  if not text:find(wanted, 1, true) then
    error(("refused with: %s; wanted: %s"):format(text, wanted), 0)
  end
end

return confirm
