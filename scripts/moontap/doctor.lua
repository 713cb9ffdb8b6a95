-- Finds out why there is no reply, by walking the way of a packet and of its answer.
local mt <const> = require "moontap"

local function opt(ns, t)
  t = t or {}
  if ns ~= "" then t.netns = ns end
  return t
end

local function ip(ns, line, v6)
  return "ip " .. (ns ~= "" and "-n " .. ns .. " " or "") .. (v6 and "-6 " or "") .. line
end

local function sysctl_line(ns, words)
  return (ns ~= "" and "ip netns exec " .. ns .. " " or "") .. "sysctl -w " .. words
end

local function in_ns(ns) return ns ~= "" and " in namespace " .. ns or "" end
local function host(addr) return (addr:gsub("/.*", "")) end

-- A sysctl's number; nil where this kernel has no such name.
local function knob(ns, name)
  return tonumber((mt.sysctl.get(name, opt(ns))))
end

-- What a command prints, and its status; nil where it cannot be started.
local function output(ns, argv)
  local lines = {}
  argv.on_line = function(line) lines[#lines + 1] = line end
  local child = mt.spawn(opt(ns, argv))
  if not child then return nil end
  local status = child:wait()
  return lines, status
end

local function has(program)
  for dir in (os.getenv "PATH" or "/usr/bin:/bin"):gmatch "[^:]+" do
    local file = io.open(dir .. "/" .. program)
    if file then
      file:close()
      return true
    end
  end
  return false
end

local Report <const> = {}
Report.__index = Report

function Report:add(mark, text, fix, cause)
  self[#self + 1] = { mark = mark, text = text, fix = fix, cause = cause }
end
function Report:ok(text) self:add("ok", text) end
function Report:note(text, fix) self:add("?", text, fix) end
-- text is the whole cause, in one line; the first one on the packet's way is named at the end.
function Report:wrong(text, fix) self:add("!!", text, fix, true) end

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
  local again <const> = ip(place.ns, ("addr replace %s/%s dev %s nodad"):format(place.addr, place.len, place.dev))
  if place.dadfailed then
    report:wrong(text .. " is a duplicate (dadfailed)", ip(place.ns, ("addr del %s/%s dev %s && "):format(
      place.addr, place.len, place.dev)) .. again:gsub("replace", "add"))
  elseif place.tentative then
    report:wrong(text .. " is still tentative", again)
  end
end

local function bits(addr)
  local a, b, c, d = addr:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  return a and (a << 24 | b << 16 | c << 8 | d)
end

-- Whether the prefix holds the address; of IPv6 only the whole address and "default".
local function holds(prefix, addr)
  if prefix == "default" or host(prefix) == addr then return true end
  local net <const>, own <const>, len <const> = bits(host(prefix)), bits(addr), prefix:match "/(%d+)"
  return net and own and len and net >> (32 - len) == own >> (32 - len) or false
end

-- Routes that refuse, for the message and the fix. The kernel says only that there is no way.
local function refusing(ns, dst)
  for _, route in ipairs(mt.route.list(opt(ns, { table = 0 })) or {}) do
    local kind <const> = route.kind
    if (kind == "blackhole" or kind == "unreachable" or kind == "prohibit") and
        holds(route.dst, dst) and
        (route.family == 6) == (dst:find(":", 1, true) ~= nil) and route.dev ~= "lo" then
      return route
    end
  end
end

-- One direction. Returns the route, or nil after having said why there is none.
local function check_route(report, ns, dst, src, dev, what)
  local route <const>, why <const> = mt.route.get(dst, opt(ns, { src = src }))
  if route and route.kind ~= "blackhole" and route.kind ~= "unreachable" and route.kind ~= "prohibit" then
    report:ok(("%s: to %s%s over %s%s"):format(what, dst, in_ns(ns), route.dev or "?",
      route.via and " via " .. route.via or ""))
    return route
  end
  local bad <const> = refusing(ns, dst)
  local v6 <const> = dst:find(":", 1, true) ~= nil
  if bad then
    report:wrong(("a route %s %s refuses %s%s"):format(bad.kind, host(bad.dst), dst, in_ns(ns)),
      ip(ns, ("route del %s %s table %s"):format(bad.kind, bad.dst, bad.table), v6))
  else
    report:wrong(("no route to %s%s"):format(dst, in_ns(ns)),
      dev and ip(ns, ("route add %s dev %s"):format(dst, dev), v6) or ip(ns, "route show"))
  end
  return nil, why
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
    report:wrong(("arp_ignore on %s is %d: it does not say that it has %s"):format(
      far.dev .. in_ns(far.ns), value, far.addr), lower(far.ns, far.dev, "arp_ignore", 0, 1))
  end
  if math.max(conf(far.ns, far.dev, "arp_filter")) == 1 and back and back.dev ~= far.dev then
    report:wrong(("arp_filter on %s: it answers ARP only where its way back is, over %s"):format(
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
end

local function check_twice(report, src, far)
  local twin <const> = far.ns ~= src.ns and find(src.addr, { far.ns })
  if twin then
    report:wrong(("%s is also an address of %s: the answer stays there"):format(
      src.addr, twin.dev .. in_ns(far.ns)),
      ip(far.ns, ("addr del %s/%s dev %s"):format(twin.addr, twin.len, twin.dev)))
  end
end

-- The router between: the namespace that holds the gateway must forward.
local function check_router(report, spaces, via, far, v6)
  local router <const> = find(via, spaces)
  if not router then
    report:note(("no link of this machine holds the gateway %s"):format(via))
    return
  end
  check_link(report, router)
  if far and far.ns == router.ns then return end
  local name <const> = v6 and "net.ipv6.conf.all.forwarding" or "net.ipv4.ip_forward"
  if knob(router.ns, name) == 0 then
    report:wrong(("the gateway %s%s does not forward"):format(via, in_ns(router.ns)),
      sysctl_line(router.ns, name .. "=1"))
  end
end

local function check_firewall(report, ns)
  local names = {}
  for _, file in ipairs { "ip_tables_names", "ip6_tables_names" } do
    for _, line in ipairs(output(ns, { "cat", "/proc/net/" .. file }) or {}) do
      if not line:find("cat:", 1, true) then names[#names + 1] = line end
    end
  end
  if #names > 0 then
    report:note("iptables has rules" .. in_ns(ns) .. ": " .. table.concat(names, " "), "iptables -S")
  end
  if has "nft" then
    local lines <const> = output(ns, { "nft", "list", "ruleset" })
    if lines and #lines > 0 then report:note("nft has rules" .. in_ns(ns), "nft list ruleset") end
  end
end

-- One bounded ping. true, false, or nil where there is no ping.
local function ping(from, dst, size)
  local argv = { "ping", "-n", "-c", "2", "-i", "0.2", "-w", "3", "-I", from.use }
  if size then
    argv[#argv + 1], argv[#argv + 2], argv[#argv + 3], argv[#argv + 4] = "-M", "do", "-s", tostring(size)
  end
  argv[#argv + 1] = dst
  local lines <const>, status <const> = output(from.ns, argv)
  if not lines or status > 2 then return nil end
  return status == 0
end

-- Pings, and counts what is seen on the link meanwhile.
local function try(report, from, dst, v6)
  local sniff <const> = mt.sniff(opt(from.ns, { links = { from.dev }, match = v6 and "icmp6" or "icmp or arp" }))
  local answered <const> = ping(from, dst)
  local sent, came = 0, 0
  if sniff then
    sniff:stop()
    for _, pkt in ipairs(sniff.packets) do
      if pkt.dir == "out" then sent = sent + 1 else came = came + 1 end
    end
  end
  local text <const> = ("ping: %s; on %s %d packets went out and %d came in"):format(
    answered and "answered" or "no answer", from.dev, sent, came)
  if answered == nil then
    report:note("ping cannot be run here", "apt install iputils-ping")
  else
    report:add(answered and "ok" or "?", text)
  end
  return answered
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
      report:wrong(("%s drops packets from our own %s (accept_local is 0)"):format(far.dev, src.addr),
        sysctl_line(far.ns, ("net.ipv4.conf.%s.accept_local=1 net.ipv4.conf.%s.accept_local=1"):format(
          far.dev, src.dev)))
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
  local v6 <const> = dst:find(":", 1, true) ~= nil
  if link then
    for _, entry in ipairs(mt.addr.list(opt(ns, { dev = want })) or {}) do
      if (entry.addr:find(":", 1, true) ~= nil) == v6 then
        return { ns = ns, dev = want, addr = host(entry.addr), use = want, is_link = true }
      end
    end
    report:wrong(("%s has no address"):format(want .. in_ns(ns)), ip(ns, "addr add ADDRESS/24 dev " .. want))
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
    report:wrong(("no link has the address %s"):format(want),
      ip(ns, ("addr add %s/%d dev %s"):format(want, v6 and 64 or 24, route and route.dev or "LINK")))
    return
  end
  place.use = want
  return place
end

local function walk(report, want, dst, ns)
  local v6 <const> = dst:find(":", 1, true) ~= nil
  local spaces = { ns }
  if ns ~= "" then spaces[2] = "" end
  for _, name in ipairs(mt.netns.list()) do
    if name ~= ns then spaces[#spaces + 1] = name end
  end
  local src <const> = source(report, want, dst, ns, spaces)
  local far <const> = find(dst, spaces)
  if not src then return end
  if src.dev then
    check_link(report, src)
    if src.len then check_dad(report, src) end
    if v6 then check_v6(report, src) end
  end
  if far then
    report:ok(("%s is on %s"):format(dst, far.dev .. in_ns(far.ns)))
    check_link(report, far)
    check_dad(report, far)
  else
    report:note(("no link of this machine holds %s"):format(dst))
    if v6 then check_off(report, dst, spaces) end
  end
  if far and far.ns == src.ns then
    check_local(report, src, far)
  else
    local route <const> = check_route(report, src.ns, dst, nil, src.dev, "way there")
    if route and route.via then check_router(report, spaces, route.via, far, v6) end
    if route and src.dev then
      check_neigh(report, { ns = src.ns, dev = route.dev or src.dev }, route.via or dst, not route.via and far)
    end
    if far and src.addr then
      check_twice(report, src, far)
      local back <const> = check_route(report, far.ns, src.addr, nil, far.dev, "way back")
      if not v6 and not (route and route.via) then
        check_rp(report, far, back)
        check_arp(report, far, back)
      end
    end
  end
  if far then
    if v6 then check_v6(report, far) end
    check_echo(report, far, v6)
  end
  for _, place in ipairs { src.ns, far and far.ns ~= src.ns and far.ns or nil } do
    check_firewall(report, place)
  end
  if not src.use then return end
  local answered <const> = try(report, src, dst, v6)
  if answered then
    for _, finding in ipairs(report) do
      if finding.cause then finding.mark, finding.cause = "?", nil end
    end
    if far then check_size(report, src, far, mt.route.get(dst, opt(src.ns)) or {}, dst, v6) end
  elseif answered == false then
    for _, finding in ipairs(report) do
      if finding.cause then return end
    end
    report:wrong(("no answer from %s, and nothing here explains it"):format(dst),
      ("tcpdump -n -i %s host %s"):format(src.dev, dst))
  end
end

local function first_line(path)
  local file <close> = io.open(path)
  return file and file:read "l"
end

-- What the keeper may do, who alone holds capabilities; without one (a stock Lua), we ourselves.
local function capabilities()
  local pid = first_line "/proc/self/stat":match "^%d+"
  for child in (first_line(("/proc/%s/task/%s/children"):format(pid, pid)) or ""):gmatch "%d+" do
    if first_line("/proc/" .. child .. "/comm") == "moontap-keeper" then pid = child end
  end
  local caps = 0
  for line in io.lines("/proc/" .. pid .. "/status") do
    caps = tonumber(line:match "^CapEff:%s*(%x+)" or "", 16) or caps
  end
  return caps
end

local function machine(report)
  local node <const>, why <const>, errno <const> = io.open("/dev/net/tun", "r+")
  if node then
    node:close()
    report:ok("/dev/net/tun can be opened")
  elseif errno == 13 then
    report:wrong("/dev/net/tun is not open to you", "sudo chmod 0666 /dev/net/tun")
  else
    report:wrong("/dev/net/tun cannot be opened: " .. tostring(why):gsub("^.*: ", ""),
      "sudo modprobe tun")
  end
  local has_user <const> = io.open "/proc/self/ns/user"
  if has_user then has_user:close() end
  local max <const> = tonumber(first_line "/proc/sys/user/max_user_namespaces")
  if not has_user or max == 0 then
    report:wrong("user namespaces are not allowed here (--sandbox needs them)",
      "sudo sysctl -w user.max_user_namespaces=10000")
  elseif first_line "/proc/sys/kernel/apparmor_restrict_unprivileged_userns" == "1" then
    report:note("AppArmor restricts user namespaces (--sandbox needs them)",
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
  else
    report:ok("user namespaces are allowed: --sandbox works without root")
  end
  local low <const>, high <const> = (mt.sysctl.get "net.ipv4.ping_group_range" or ""):match "(%d+)%s+(%d+)"
  if low and tonumber(low) > tonumber(high) then
    report:note("ping_group_range is empty: ping needs root or a file capability",
      'sudo sysctl -w net.ipv4.ping_group_range="0 2147483647"')
  end
  if capabilities() & (1 << 12) ~= 0 then
    report:ok("CAP_NET_ADMIN is held: devices can be made without --sandbox")
  else
    report:add("?", "CAP_NET_ADMIN is not held: run as root, or with --sandbox")
  end
  report:ok("kernel " .. (first_line "/proc/sys/kernel/osrelease" or "?"))
  for program, package in pairs { ping = "iputils-ping", tcpdump = "tcpdump" } do
    if has(program) then
      report:ok(program .. " is installed")
    else
      report:note(program .. " is not installed", "sudo apt install " .. package)
    end
  end
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
    machine(report)
  end
  for _, finding in ipairs(report) do
    if finding.cause then
      report.cause, report.fix = finding.text, finding.fix
      break
    end
  end
  return report
end
