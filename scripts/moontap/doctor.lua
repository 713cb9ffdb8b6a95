-- Finds out why there is no reply, by walking the way of a packet and of its answer.
local mt <const> = require "moontap"

local ask <const> = require "moontap.doctor.ask"
local check_machine <const> = require "moontap.doctor.machine"
local firewall <const> = require "moontap.doctor.firewall"
local opt <const>, knob <const>, host <const> = ask.opt, ask.knob, ask.host
local in_ns <const>, ip <const>, holds <const> = ask.in_ns, ask.ip, ask.holds

local function sysctl_line(ns, words) return ask.inside(ns, "sysctl -w " .. words) end

local Report <const> = {}
Report.__index = Report

function Report:add(mark, text, fix, cause)
  self[#self + 1] = { mark = mark, text = text, fix = fix, cause = cause }
end
function Report:ok(text) self:add("ok", text) end
function Report:note(text, fix) self:add("?", text, fix) end
-- text is the whole cause, in one line; the first one on the packet's way is named at the end.
function Report:wrong(text, fix) self:add("!!", text, fix, true) end
-- What may be the cause if nothing is wrong and no answer comes. leg: where in the packet's way it
-- would be lost ("out", "far", "in"); nil: anywhere.
function Report:suspect(text, fix, leg)
  self:note(text, fix)
  self[#self].leg = leg or "any"
end

-- Makes a suspect the cause: the first on that leg, else the first. false: there is none.
function Report:accuse(leg)
  local chosen
  for _, finding in ipairs(self) do
    local is_there <const> = finding.leg == leg or finding.leg == "any"
    if finding.leg and (not chosen or is_there and not chosen.is_there) then
      chosen = { finding = finding, is_there = is_there }
    end
  end
  if chosen then chosen.finding.mark, chosen.finding.cause = "!!", true end
  return chosen ~= nil
end

local function link_of(place) return mt.link.get(place.dev, opt(place.ns)) end

-- Where an address lives: { ns=, dev=, addr=, len= }, looking into the namespaces in this order.
local function find(addr, spaces)
  for _, ns in ipairs(spaces) do
    for _, entry in ipairs(mt.addr.list(opt(ns)) or {}) do
      if host(entry.addr) == addr then
        return { ns = ns, dev = entry.dev, addr = addr, len = entry.addr:match "/(%d+)",
          tentative = entry.tentative, dadfailed = entry.dadfailed }
      end
    end
  end
end

local function check_link(report, place)
  local link <const> = link_of(place)
  local where <const> = place.dev .. in_ns(place.ns)
  if not link then
    report:wrong(("there is no link %s"):format(where), "ip link show")
    return
  end
  if not link.up then
    report:wrong(("%s is down"):format(where), ip(place.ns, "link set " .. place.dev .. " up"))
  elseif link.carrier then
    report:ok(("%s is up, with carrier, mtu %d"):format(where, link.mtu))
  elseif link.peer then
    report:wrong(("%s, the other end of %s, is down"):format(link.peer, where),
      ip(place.ns, "link set " .. link.peer .. " up"))
  else
    report:note(("%s is up, but its other end is not (no carrier)"):format(where))
  end
  return link
end

local function check_v6(report, place)
  local name <const> = "net/ipv6/conf/" .. place.dev .. "/disable_ipv6"
  if knob(place.ns, name) == 1 then
    report:wrong(("IPv6 is switched off on %s (disable_ipv6)"):format(place.dev .. in_ns(place.ns)),
      sysctl_line(place.ns, "net.ipv6.conf." .. place.dev .. ".disable_ipv6=0"))
  end
end

-- Switching IPv6 off takes the addresses away: an address that is missing may be missed for this.
local function check_off(report, addr, spaces)
  for _, ns in ipairs(spaces) do
    for _, link in ipairs(mt.link.list(opt(ns)) or {}) do
      if link.name ~= "lo" and knob(ns, "net/ipv6/conf/" .. link.name .. "/disable_ipv6") == 1 then
        report:wrong(("nobody has %s, and IPv6 is off on %s"):format(addr, link.name .. in_ns(ns)),
          sysctl_line(ns, ("net.ipv6.conf.%s.disable_ipv6=0"):format(link.name)) .. " && " ..
          ip(ns, ("addr add %s/64 dev %s nodad"):format(addr, link.name)))
        return true
      end
    end
  end
end

local function check_dad(report, place)
  local text <const> = place.addr .. " on " .. place.dev .. in_ns(place.ns)
  local what <const> = ("%s/%s dev %s"):format(place.addr, place.len, place.dev)
  local again <const> = ip(place.ns, "addr replace " .. what .. " nodad")
  if place.dadfailed then
    report:wrong(text .. " is a duplicate (dadfailed)",
      ip(place.ns, "addr del " .. what) .. " && " .. again:gsub("replace", "add"))
  elseif place.tentative then
    report:wrong(text .. " is still tentative", again)
  end
end

local REFUSING <const> = { blackhole = true, unreachable = true, prohibit = true }

-- Routes that refuse, for the message and the fix. The kernel says only that there is no way.
local function refusing(ns, dst)
  for _, route in ipairs(mt.route.list(opt(ns, { table = 0 })) or {}) do
    if REFUSING[route.kind] and holds(route.dst, dst) and
        (route.family == 6) == ask.is_v6(dst) and
        (route.dev ~= "lo" or route.dst ~= "default") then -- that is the kernel's own last one
      return route
    end
  end
end

-- The first policy rule for packets from src (nil: from anywhere) to dst that is wanted.
local function rule_of(ns, src, dst, is_wanted)
  for _, rule in ipairs(mt.route.rules(opt(ns)) or {}) do
    if (rule.family == 6) == ask.is_v6(dst) and
        (rule.src == "all" or src and holds(rule.src, src)) and
        (rule.dst == "all" or holds(rule.dst, dst)) and is_wanted(rule) then
      return rule
    end
  end
end

local function rule_fix(ns, rule)
  return ip(ns, ("rule del priority %d"):format(rule.priority), rule.family == 6)
end

-- The kernel finds no way: a rule, a route, or the want of one.
local function no_route(report, ns, dst, src, dev)
  local v6 <const> = ask.is_v6(dst)
  local rule <const> = rule_of(ns, src, dst, function(rule) return REFUSING[rule.kind] end)
  local bad <const> = refusing(ns, dst)
  if rule then
    report:wrong(("policy rule %d refuses packets to %s%s"):format(
      rule.priority, dst, in_ns(ns)), rule_fix(ns, rule))
  elseif bad then
    report:wrong(("a route %s %s refuses %s%s"):format(bad.kind, host(bad.dst), dst, in_ns(ns)),
      ip(ns, ("route del %s %s table %s"):format(bad.kind, bad.dst, bad.table), v6))
  elseif not rule_of(ns, src, dst, function(one) return one.table == "main" end) then
    report:wrong(("no policy rule%s looks into table main"):format(in_ns(ns)),
      ip(ns, "rule add priority 32766 table main", v6))
  else
    report:wrong(("no route to %s%s"):format(dst, in_ns(ns)),
      dev and ip(ns, ("route add %s dev %s"):format(dst, dev), v6) or ip(ns, "route show"))
  end
end

-- One direction. Returns the route, or nil after having said why there is none.
local function check_route(report, ns, dst, src, dev, what)
  local route <const> = mt.route.get(dst, opt(ns, { src = src }))
  if not route or REFUSING[route.kind] then return no_route(report, ns, dst, src, dev) end
  report:ok(("%s: to %s%s over %s%s"):format(what, dst, in_ns(ns), route.dev or "?",
    route.via and " via " .. route.via or ""))
  local rule <const> = rule_of(ns, src, dst, function(one) return one.table == route.table end)
  if rule and route.table ~= "main" and route.table ~= "local" and route.table ~= "default" then
    report:suspect(("policy rule %d (table %s) sends %s%s over %s"):format(
      rule.priority, rule.table, dst, in_ns(ns), route.dev or "?"), rule_fix(ns, rule))
  end
  return route
end

local function check_neigh(report, near, next_hop, far)
  local link <const> = far and link_of(far)
  for _, entry in ipairs(mt.neigh.list(opt(near.ns, { dev = near.dev })) or {}) do
    if entry.dst == next_hop then
      if link and link.mac and entry.lladdr and entry.lladdr ~= link.mac then
        report:wrong(("the neighbour entry of %s on %s has the wrong MAC"):format(
          next_hop, near.dev .. in_ns(near.ns)),
          ip(near.ns, ("neigh del %s dev %s"):format(next_hop, near.dev)))
      elseif entry.state == "failed" or entry.state == "incomplete" then
        report:note(("nobody on %s said who has %s"):format(near.dev, next_hop))
      else
        report:ok(("neighbour %s is %s (%s)"):format(next_hop, entry.lladdr or "?", entry.state))
      end
    end
  end
end

local function conf(ns, dev, name)
  local base <const> = "net/ipv4/conf/"
  return knob(ns, base .. "all/" .. name) or 0, knob(ns, base .. dev .. "/" .. name) or 0
end

local function lower(ns, dev, name, value, limit)
  local all <const>, own <const> = conf(ns, dev, name)
  local words = {}
  if all >= limit then words[1] = ("net.ipv4.conf.all.%s=%d"):format(name, value) end
  if own >= limit then words[#words + 1] = ("net.ipv4.conf.%s.%s=%d"):format(dev, name, value) end
  return sysctl_line(ns, table.concat(words, " "))
end

local function check_rp(report, far, back)
  local all <const>, own <const> = conf(far.ns, far.dev, "rp_filter")
  local value <const> = math.max(all, own)
  if value == 1 and back and back.dev ~= far.dev then
    report:wrong(("rp_filter on %s drops it: the way back is over %s"):format(
      far.dev .. in_ns(far.ns), back.dev or "?"), lower(far.ns, far.dev, "rp_filter", 0, 1))
  else
    report:ok(("rp_filter on %s is %d (max of all and link)"):format(far.dev, value))
  end
end

local function check_arp(report, far, back)
  local value <const> = math.max(conf(far.ns, far.dev, "arp_ignore"))
  if value >= 3 then
    report:wrong(("arp_ignore %d on %s: it does not say it has %s"):format(
      value, far.dev .. in_ns(far.ns), far.addr), lower(far.ns, far.dev, "arp_ignore", 0, 1))
  end
  if math.max(conf(far.ns, far.dev, "arp_filter")) == 1 and back and back.dev ~= far.dev then
    report:wrong(("arp_filter on %s mutes ARP: the way back is over %s"):format(
      far.dev .. in_ns(far.ns), back.dev or "?"), lower(far.ns, far.dev, "arp_filter", 0, 1))
  end
end

local function check_echo(report, far, v6)
  local name <const> = v6 and "net.ipv6.icmp.echo_ignore_all" or "net.ipv4.icmp_echo_ignore_all"
  if knob(far.ns, name) == 1 then
    report:wrong(("%s%s is told to ignore pings (echo_ignore_all)"):format(far.addr, in_ns(far.ns)),
      sysctl_line(far.ns, name .. "=0"))
  else
    report:ok("pings are answered there (echo_ignore_all is 0)")
  end
  if far.is_group and knob(far.ns, "net.ipv4.icmp_echo_ignore_broadcasts") == 1 then
    report:wrong(("%s%s ignores broadcasts (icmp_echo_ignore_broadcasts)"):format(
      far.addr, in_ns(far.ns)), sysctl_line(far.ns, "net.ipv4.icmp_echo_ignore_broadcasts=0"))
  end
end

local function check_twice(report, src, far)
  local twin <const> = far.ns ~= src.ns and find(src.addr, { far.ns })
  if twin then
    report:wrong(("%s is also an address of %s: the answer stays there"):format(
      src.addr, twin.dev .. in_ns(far.ns)),
      ip(far.ns, ("addr del %s/%s dev %s"):format(twin.addr, twin.len, twin.dev)))
  end
end

-- What may drop the ping is a suspect; whether it does is seen by what passes on the link.
local function check_firewall(report, ns, trip, leg)
  local names = {}
  for _, file in ipairs { "ip_tables_names", "ip6_tables_names" } do
    for _, line in ipairs(ask.output(ns, { "cat", "/proc/net/" .. file }) or {}) do
      if not line:find("cat:", 1, true) then names[#names + 1] = line end
    end
  end
  if #names > 0 then
    report:note("iptables has rules" .. in_ns(ns) .. ": " .. table.concat(names, " "),
      ask.inside(ns, "iptables -S"))
  end
  local found <const>, has_rules <const> = firewall(ns, trip)
  for _, one in ipairs(found) do report:suspect(one.text, one.fix, leg or one.leg) end
  if has_rules and #found == 0 then
    report:note("nft has rules" .. in_ns(ns) .. ", none that drops this",
      ask.inside(ns, "nft list ruleset"))
  end
end

-- The router between: the namespace that holds the gateway must forward.
local function check_router(report, spaces, via, far, trip)
  local router <const> = find(via, spaces)
  if not router then
    report:note(("no link of this machine holds the gateway %s"):format(via))
    return
  end
  check_link(report, router)
  if far and far.ns == router.ns then return end
  local name <const> = trip.v6 and "net.ipv6.conf.all.forwarding" or "net.ipv4.ip_forward"
  if knob(router.ns, name) == 0 then
    report:wrong(("the gateway %s%s does not forward"):format(via, in_ns(router.ns)),
      sysctl_line(router.ns, name .. "=1"))
  end
  check_firewall(report, router.ns, { src = trip.src.addr or "", dst = trip.dst, v6 = trip.v6,
    devs = {}, forwards = true }, "far")
end

-- One bounded ping. true, false, or nil where there is no ping.
local function ping(from, dst, size)
  local argv = { "ping", "-n", "-c", "2", "-i", "0.2", "-w", "3", "-I", from.use }
  if size then table.move({ "-M", "do", "-s", tostring(size) }, 1, 4, #argv + 1, argv) end
  if from.is_group then argv[#argv + 1] = "-b" end
  argv[#argv + 1] = dst
  local lines <const>, status <const> = ask.output(from.ns, argv)
  if not lines or status > 2 then return nil end
  return status == 0
end

local function is_echo(pkt)
  local icmp <const> = pkt.icmp or pkt.icmpv6
  local type <const> = icmp and icmp.type
  return type == 0 or type == 8 or type == 128 or type == 129
end

-- Pings, and counts what is seen on the link meanwhile. Second: the leg on which packets are lost.
local function try(report, from, dst, v6)
  local sniff <const> = mt.sniff(opt(from.ns, { links = { from.dev },
    match = v6 and { icmpv6 = true } or { any = { { icmp = true }, { arp = true } } } }))
  local answered <const> = ping(from, dst)
  local count, echo = { out = 0, ["in"] = 0 }, { out = 0, ["in"] = 0 }
  if sniff then
    for _, pkt in ipairs(sniff:stop().packets) do
      local dir <const> = pkt.dir == "out" and "out" or "in"
      count[dir] = count[dir] + 1
      if is_echo(pkt) then echo[dir] = echo[dir] + 1 end
    end
  end
  local text <const> = ("ping: %s; on %s %d packets went out and %d came in"):format(
    answered and "answered" or "no answer", from.dev, count.out, count["in"])
  if answered == nil then
    report:note("ping cannot be run here", "apt install iputils-ping")
  else
    report:add(answered and "ok" or "?", text)
  end
  return answered, echo["in"] > 0 and "in" or echo.out > 0 and "far" or "out"
end

local function check_size(report, src, far, route, dst, v6)
  local link <const>, there <const> = link_of(src), link_of(far)
  if not (link and there and link.mtu > there.mtu) or route.via or src.dev == "lo" then return end
  if ping(src, dst, link.mtu - (v6 and 48 or 28)) == false then
    report:wrong(("packets of %d bytes are lost: %s has mtu %d"):format(
      link.mtu, far.dev .. in_ns(far.ns), there.mtu),
      ip(far.ns, ("link set %s mtu %d"):format(far.dev, link.mtu)))
  end
end

local function check_local(report, src, far)
  if src.is_link and src.dev ~= far.dev then
    local all <const>, own <const> = conf(far.ns, far.dev, "accept_local")
    if all == 0 and own == 0 then
      local name <const> = "net.ipv4.conf.%s.accept_local=1"
      report:wrong(("%s drops packets from our own %s (accept_local is 0)"):format(
        far.dev, src.addr),
        sysctl_line(far.ns, name:format(far.dev) .. " " .. name:format(src.dev)))
    end
    if math.max(conf(far.ns, far.dev, "rp_filter")) == 1 then
      report:wrong(("rp_filter on %s drops packets from our own %s"):format(far.dev, src.addr),
        lower(far.ns, far.dev, "rp_filter", 0, 1))
    end
    return
  end
  report:ok(("%s is our own address (table local): packets travel over lo"):format(far.addr))
  check_link(report, { ns = far.ns, dev = "lo" })
end

-- Where packets start: an address, a link's name, or whatever the kernel takes.
local function source(report, want, dst, ns, spaces)
  local link <const> = want and not want:find "[:.]" and mt.link.get(want, opt(ns))
  local v6 <const> = ask.is_v6(dst)
  if link then
    for _, entry in ipairs(mt.addr.list(opt(ns, { dev = want })) or {}) do
      if ask.is_v6(entry.addr) == v6 then
        return { ns = ns, dev = want, addr = host(entry.addr), use = want, is_link = true }
      end
    end
    report:wrong(("%s has no address"):format(want .. in_ns(ns)),
      ip(ns, "addr add ADDRESS/24 dev " .. want))
    return
  end
  local route <const> = mt.route.get(dst, opt(ns))
  if not want then
    if not route then return { ns = ns } end
    want = route.src or dst
  end
  local place <const> = find(want, spaces)
  if not place then
    if v6 and check_off(report, want, { ns }) then return end
    report:wrong(("no link has the address %s"):format(want), ip(ns,
      ("addr add %s/%d dev %s"):format(want, v6 and 64 or 24, route and route.dev or "LINK")))
    return
  end
  place.use = want
  return place
end

-- Who is meant by a broadcast address: the first host beside src whose network has it.
local function find_group(dst, spaces, src)
  for _, ns in ipairs(spaces) do
    for _, entry in ipairs(mt.addr.list(opt(ns)) or {}) do
      local addr <const> = host(entry.addr)
      if ask.is_broadcast(entry.addr, dst) and addr ~= src.addr then
        return { ns = ns, dev = entry.dev, addr = addr, is_group = true }
      end
    end
  end
end

-- Where packets end: who has the address, of all the namespaces; nil: nobody of this machine.
local function destination(report, src, dst, spaces)
  local far <const> = find(dst, spaces) or find_group(dst, spaces, src)
  if not far then
    report:note(("no link of this machine holds %s"):format(dst))
    if ask.is_v6(dst) then check_off(report, dst, spaces) end
    return
  end
  report:ok(("%s is on %s"):format(dst, far.dev .. in_ns(far.ns)))
  check_link(report, far)
  check_dad(report, far)
  src.is_group = far.is_group
  return far
end

-- The way there and the way back, over links.
local function check_ways(report, src, far, dst, spaces)
  local v6 <const> = ask.is_v6(dst)
  local route <const> = check_route(report, src.ns, dst, src.addr, src.dev, "way there")
  local via <const> = route and route.via
  if via then check_router(report, spaces, via, far, { src = src, dst = dst, v6 = v6 }) end
  if route and src.dev and not src.is_group then
    check_neigh(report, { ns = src.ns, dev = route.dev or src.dev }, via or dst, not via and far)
  end
  if not (far and src.addr) then return end
  check_twice(report, src, far)
  local back <const> = check_route(report, far.ns, src.addr, far.addr, far.dev, "way back")
  if not v6 and not via then
    check_rp(report, far, back)
    check_arp(report, far, back)
  end
end

-- The firewalls at both ends.
local function check_firewalls(report, src, far, dst)
  local trip <const> = { src = src.addr or "", dst = dst, v6 = ask.is_v6(dst), devs = {} }
  for _, place in ipairs { src, far } do
    if place.dev then trip.devs[place.dev] = true end
  end
  local is_apart <const> = far and far.ns ~= src.ns
  check_firewall(report, src.ns, trip, not is_apart and far and "any" or nil)
  if is_apart then check_firewall(report, far.ns, trip, "far") end
end

-- Nothing is the cause where the answer came; without one, something is.
local function judge(report, src, far, dst)
  local answered <const>, leg <const> = try(report, src, dst, ask.is_v6(dst))
  local has_cause = false
  for _, finding in ipairs(report) do
    if finding.cause and answered then finding.mark, finding.cause = "?", nil end
    has_cause = has_cause or finding.cause
  end
  if answered and far then
    local route <const> = mt.route.get(dst, opt(src.ns)) or {}
    check_size(report, src, far, route, dst, ask.is_v6(dst))
  elseif answered == false and not has_cause and not report:accuse(leg) then
    report:wrong(("no answer from %s, and nothing here explains it"):format(dst),
      ask.inside(src.ns, ("tcpdump -n -i %s host %s"):format(src.dev, dst)))
  end
end

local function walk(report, want, dst, ns)
  local spaces = { ns }
  if ns ~= "" then spaces[2] = "" end
  for _, name in ipairs(mt.netns.list()) do
    if name ~= ns then spaces[#spaces + 1] = name end
  end
  local src <const> = source(report, want, dst, ns, spaces)
  if not src then return end
  local v6 <const> = ask.is_v6(dst)
  if src.dev then
    check_link(report, src)
    if src.len then check_dad(report, src) end
    if v6 then check_v6(report, src) end
  end
  local far <const> = destination(report, src, dst, spaces)
  if far and far.ns == src.ns then
    check_local(report, src, far)
  else
    check_ways(report, src, far, dst, spaces)
  end
  if far then
    if v6 then check_v6(report, far) end
    check_echo(report, far, v6)
  end
  check_firewalls(report, src, far, dst)
  if src.use then judge(report, src, far, dst) end
end

local known <const> = { src = true, dst = true, netns = true }

--- mt.doctor{ src=, dst=, netns= }: a list of findings, in the order of a packet's way. Each has
--- mark ("ok", "!!", "?"), text and, where something can be done, fix. `.cause` and `.fix` of the
--- list: why there is no reply, nil if nothing wrong was found. Without dst it checks the machine.
return function(what)
  what = what or {}
  for key in pairs(what) do
    if not known[key] then
      error(("mt.doctor: unknown key \"%s\" (it knows src, dst, netns)"):format(key), 2)
    end
  end
  local report <const> = setmetatable({}, Report)
  if what.dst then
    walk(report, what.src, what.dst, what.netns or "")
  else
    check_machine(report)
  end
  for _, finding in ipairs(report) do
    if finding.cause then
      report.cause, report.fix = finding.text, finding.fix
      break
    end
  end
  return report
end
