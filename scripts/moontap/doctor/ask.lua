-- What the doctor asks the kernel for, and how it names namespaces, commands and prefixes.
local mt <const> = require "moontap"

local ask <const> = {}

-- The options t with the namespace, where it is not our own ("").
function ask.opt(ns, t)
  t = t or {}
  if ns ~= "" then t.netns = ns end
  return t
end

function ask.ip(ns, line, v6)
  return "ip " .. (ns ~= "" and "-n " .. ns .. " " or "") .. (v6 and "-6 " or "") .. line
end

-- The command, typed where ns is our own.
function ask.inside(ns, command)
  return (ns ~= "" and "ip netns exec " .. ns .. " " or "") .. command
end

function ask.in_ns(ns) return ns ~= "" and " in namespace " .. ns or "" end
function ask.host(addr) return (addr:gsub("/.*", "")) end
function ask.is_v6(addr) return addr:find(":", 1, true) ~= nil end

-- A sysctl's number; nil where this kernel has no such name.
function ask.knob(ns, name)
  return tonumber((mt.sysctl.get(name, ask.opt(ns))))
end

-- What a command prints, and its status; nil where it cannot be started.
function ask.output(ns, argv)
  local lines = {}
  argv.on_line = function(line) lines[#lines + 1] = line end
  local child = mt.spawn(ask.opt(ns, argv))
  if not child then return nil end
  local status = child:wait()
  return lines, status
end

function ask.has(program)
  for dir in (os.getenv "PATH" or "/usr/bin:/bin"):gmatch "[^:]+" do
    local file = io.open(dir .. "/" .. program)
    if file then
      file:close()
      return true
    end
  end
  return false
end

-- An IPv4 address as a number; nil for others.
local function bits(addr)
  if not addr:find "^%d+%.%d+%.%d+%.%d+$" then return nil end
  local number = 0
  for byte in addr:gmatch "%d+" do number = number << 8 | tonumber(byte) end
  return number
end

-- Whether the prefix holds the address; of IPv6 only the whole address and "default".
function ask.holds(prefix, addr)
  if prefix == "default" or ask.host(prefix) == addr then return true end
  local net <const>, own <const> = bits(ask.host(prefix)), bits(addr)
  local len <const> = tonumber(prefix:match "/(%d+)")
  return net and own and len and net >> (32 - len) == own >> (32 - len) or false
end

-- Whether addr is the broadcast address of the prefix.
function ask.is_broadcast(prefix, addr)
  local net <const>, own <const> = bits(ask.host(prefix)), bits(addr)
  local len <const> = tonumber(prefix:match "/(%d+)")
  return net and own and len and len < 31 and own == net | 0xffffffff >> len or false
end

return ask
