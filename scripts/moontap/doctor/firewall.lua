-- Finds what in a firewall may drop a ping: the rules and policies that could mean it.
local ask <const> = require "moontap.doctor.ask"

-- Where in its way a packet meets a hook: before our link sends it, or when the answer is back.
local LEGS <const> = { output = "out", postrouting = "out", egress = "out",
  ingress = "in", prerouting = "in", input = "in" }

-- A rule that names another protocol, address or link is not about our ping.
local function may_mean(rule, trip)
  if rule:find "icmp" then
    if rule:find(trip.v6 and "icmp " or "icmpv6 ", 1, true) then return false end
  elseif rule:find "tcp" or rule:find "udp" or rule:find "sctp" then
    return false
  end
  for addr in rule:gmatch "[sd]addr ([%x.:/]+)" do
    if not (ask.holds(addr, trip.src) or ask.holds(addr, trip.dst)) then return false end
  end
  for dev in rule:gmatch '[io]if[name]* "([^"]+)"' do
    if not trip.forwards and not trip.devs[dev] then return false end
  end
  return true
end

-- A chain that packets of the trip come by: at the ends not that of forwarding, between not theirs.
local function is_met(family, hook, trip)
  if hook == "forward" and not trip.forwards then return false end
  if trip.forwards and (hook == "input" or hook == "output") then return false end
  return family == "inet" or family == "netdev" or family == (trip.v6 and "ip6" or "ip") or
    family == "arp" and not trip.v6
end

--- The rules and policies of nftables in ns that may drop a packet of the trip { src=, dst=, v6=,
--- devs=, forwards= }: a list of { text=, fix=, leg= }. Second: whether it has any rules at all.
return function(ns, trip)
  local found = {}
  local lines <const> = ask.has "nft" and ask.output(ns, { "nft", "-a", "list", "ruleset" }) or {}
  local family, tab, chain, hook
  local function add(what, command)
    found[#found + 1] = { leg = LEGS[hook],
      text = ("nft%s drops: %s (%s %s, chain %s)"):format(ask.in_ns(ns), what, family, tab, chain),
      fix = ask.inside(ns, "nft " .. command) }
  end
  for _, line in ipairs(lines) do
    local name <const> = line:match "^%s+chain (%S+) {"
    if line:find "^table " then
      family, tab = line:match "^table (%S+) (%S+)"
    elseif name then
      chain, hook = name, nil
    elseif line:find "^%s+type %S+ hook " then
      hook = line:match "hook (%S+)"
      if line:find "policy drop" and is_met(family, hook, trip) then
        add("policy drop", ("chain %s %s %s '{ policy accept; }'"):format(family, tab, chain))
      end
    elseif chain and is_met(family, hook, trip) then
      local rule <const>, handle <const> = line:match "^%s+(.-) # handle (%d+)$"
      if rule and (rule:find "%f[%a]drop%f[%A]" or rule:find "%f[%a]reject%f[%A]") and
          may_mean(rule, trip) then
        add((rule:gsub(" ?counter packets %d+ bytes %d+", "")),
          ("delete rule %s %s %s handle %s"):format(family, tab, chain, handle))
      end
    end
  end
  return found, #lines > 0
end
