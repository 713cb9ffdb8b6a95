#!/usr/bin/env bats
# What moontap makes, ip confirms; what ip makes, moontap lists.

setup() {
  load common
  common_setup
  script=$BATS_TEST_TMPDIR/s.lua
}

teardown() {
  for link in h0 hbr hvx tun7; do ip link del $link 2>/dev/null || true; done
  ip netns del old 2>/dev/null || true
  common_teardown
}

# Runs the Lua of standard input, with what confirm.lua gives.
lua_says() {
  {
    cat <<LUA
package.path = "$TESTS/e2e/?.lua;" .. package.path
local mt = require "moontap"
local confirm = require "confirm"
local ip, has, find, refused, output = confirm.ip, confirm.has, confirm.find, confirm.refused, confirm.output
LUA
    cat
    echo 'mt.stop(0)'
  } >"$script"
  run timeout -s KILL 60 "$MOONTAP" run "$script"
  echo "$output"
  [ "$status" = 0 ]
}

@test "ip confirms links of every kind that the kernel has" {
  lua_says <<'LUA'
assert(mt.link.add { name = "v0", kind = "veth", peer = "v1", mtu = 1400, mac = "02:00:00:00:00:10" })
has("v0", ip("link show v0")[1], { mtu = 1400, address = "02:00:00:00:00:10", link = "v1", linkinfo = { info_kind = "veth" } })
local br = assert(mt.link.add { name = "br0", kind = "bridge", up = false })
has("br0", br, { name = "br0", kind = "bridge", up = false })
has("br0", ip("link show br0")[1], { operstate = "DOWN", linkinfo = { info_kind = "bridge" } })
assert(mt.link.add { name = "vx0", kind = "vxlan", id = 77, port = 4790, link = "v0" })
has("vx0", ip("link show vx0")[1], { linkinfo = { info_kind = "vxlan", info_data = { id = 77, port = 4790, link = "v0" } } })
assert(mt.link.add { name = "ifb7", kind = "ifb" })
has("ifb7", ip("link show ifb7")[1], { linkinfo = { info_kind = "ifb" } })
for _, spec in ipairs { { name = "d0", kind = "dummy" }, { name = "m0", kind = "macvlan", link = "v0" } } do
  local link, why = mt.link.add(spec)
  if link then
    has(spec.name, ip("link show " .. spec.name)[1], { linkinfo = { info_kind = spec.kind } })
  else
    has(spec.kind, (why:gsub(": Unknown device type", "")), spec.name .. ": this kernel has no links of kind " .. spec.kind)
  end
end
refused("v0: exists already", mt.link.add, { name = "v0", kind = "bridge" })
refused("v1: exists already", mt.link.add, { name = "v9", kind = "veth", peer = "v1" })
refused("kind", mt.link.add, { name = "x", kind = "vteh" })
mt.link.del "v0"
assert(not mt.link.get "v0" and not mt.link.get "v1")
LUA
}

@test "ip confirms what link.set changes, in any namespace" {
  lua_says <<'LUA'
for _, ns in ipairs { false, "lab" } do
  local at = { netns = ns or nil }
  assert(mt.link.add { name = "v0", kind = "veth", peer = "v1", netns = at.netns })
  assert(mt.link.add { name = "br0", kind = "bridge", netns = at.netns })
  mt.link.set("v0", { mtu = 1300, mac = "02:00:00:00:00:11", master = "br0" }, at)
  has("v0", ip("link show v0", at.netns)[1], { mtu = 1300, address = "02:00:00:00:00:11", master = "br0" })
  mt.link.set("v0", { up = false }, at)
  has("v0 down", mt.link.get("v0", at), { up = false, master = "br0", peer = "v1", mtu = 1300, netns = at.netns })
  has("v0 down", ip("link show v0", at.netns)[1], { operstate = "DOWN" })
  mt.link.set("v0", { up = true }, at)
  mt.link.set("v1", { up = true }, at)
  has("v0 up", ip("link show v0", at.netns)[1], { operstate = "UP" })
  mt.link.set("v0", { master = false }, at)
  has("v0", ip("link show v0", at.netns)[1].master, nil)
  mt.link.set("v0", { up = false }, at)
  mt.link.set("v0", { name = "w0" }, at)
  has("w0", ip("link show w0", at.netns)[1], { ifname = "w0" })
  mt.link.set("v1", { netns = "other" }, at)
  has("v1", ip("link show v1", "other")[1], { ifname = "v1" })
  assert(not mt.link.get("v1", at))
  mt.link.set("v1", { netns = ns or "third" }, { netns = "other" })
  mt.link.del("w0", at)
end
LUA
}

@test "ip confirms addresses" {
  lua_says <<'LUA'
for _, ns in ipairs { false, "lab" } do
  local netns = ns or nil
  assert(mt.link.add { name = "v0", kind = "veth", peer = "v1", netns = netns })
  mt.link.set("v1", { up = true }, { netns = netns })
  mt.addr.add { addr = "10.1.1.1/24", dev = "v0", netns = netns }
  mt.addr.add { addr = "10.1.2.1", dev = "v0", netns = netns }
  mt.addr.add { addr = "fd00::1/64", dev = "v0", netns = netns }
  mt.addr.add { addr = "fd00::2/64", dev = "v0", netns = netns, dad = true }
  local list = ip("addr show v0", netns)[1].addr_info
  has("v4", find(list, { ["local"] = "10.1.1.1" }), { prefixlen = 24, broadcast = "10.1.1.255", scope = "global" })
  has("v4", find(list, { ["local"] = "10.1.2.1" }), { prefixlen = 32 })
  has("v6", find(list, { ["local"] = "fd00::1" }), { prefixlen = 64, nodad = true })
  has("v6 dad", find(list, { ["local"] = "fd00::2" }), { tentative = true })
  assert(find(mt.addr.list { dev = "v0", netns = netns }, { addr = "fd00::2/64", tentative = true }))
  mt.addr.del { addr = "10.1.1.1/24", dev = "v0", netns = netns }
  mt.addr.del { addr = "fd00::1/64", dev = "v0", netns = netns }
  list = ip("addr show v0", netns)[1].addr_info
  assert(not find(list, { ["local"] = "10.1.1.1" }) and not find(list, { ["local"] = "fd00::1" }))
  refused("v0: has no address 10.1.1.1/24", mt.addr.del, { addr = "10.1.1.1/24", dev = "v0", netns = netns })
  refused("v0: has the address 10.1.2.1/32 already", mt.addr.add, { addr = "10.1.2.1", dev = "v0", netns = netns })
end
LUA
}

@test "ip confirms routes: metric, table, via, src, scope, kinds, hops, defaults" {
  lua_says <<'LUA'
for _, ns in ipairs { false, "lab" } do
  local netns = ns or nil
  assert(mt.veth({ name = "v0", addr = { "10.1.1.1/24", "fd00::1/64" }, netns = netns }, { name = "v1", netns = netns }))
  local function add(route) route.netns = netns; mt.route.add(route) end
  local function show(args) return ip("route show " .. args, netns)[1] end
  add { dst = "10.2.0.0/16", via = "10.1.1.9", metric = 50 }
  has("via", show "10.2.0.0/16", { gateway = "10.1.1.9", dev = "v0", metric = 50 })
  add { dst = "10.3.0.0/16", dev = "v0", src = "10.1.1.1", table = 1000 }
  has("table", show "table 1000", { dst = "10.3.0.0/16", prefsrc = "10.1.1.1", scope = "link" })
  add { dst = "10.4.0.0/16", dev = "v0", scope = "global" }
  has("scope", show "10.4.0.0/16", { scope = "global" })
  for _, kind in ipairs { "blackhole", "unreachable", "prohibit", "throw" } do
    add { dst = "10.5.0.0/16", kind = kind, metric = #kind }
    has(kind, show("10.5.0.0/16 metric " .. #kind), { type = kind })
    mt.route.del { dst = "10.5.0.0/16", kind = kind, metric = #kind, netns = netns }
    has(kind, show("10.5.0.0/16 metric " .. #kind), nil)
  end
  add { dst = "10.6.0.0/16", hops = { { via = "10.1.1.8", dev = "v0", weight = 2 }, { via = "10.1.1.9", dev = "v0" } } }
  has("hops", show "10.6.0.0/16", { nexthops = { { gateway = "10.1.1.8", weight = 2 }, { gateway = "10.1.1.9", weight = 1 } } })
  add { dst = "default", via = "10.1.1.254" }
  has("default", show "default", { gateway = "10.1.1.254" })
  add { dst = "default", via = "fd00::fe" }
  has("default 6", ip("-6 route show default", netns)[1], { gateway = "fd00::fe", dev = "v0" })
  add { dst = "fd00:2::/64", via = "fd00::9", metric = 5 }
  has("v6", ip("-6 route show fd00:2::/64", netns)[1], { gateway = "fd00::9", metric = 5 })
  has("get", mt.route.get("10.2.0.1", { netns = netns }), { via = "10.1.1.9", dev = "v0", src = "10.1.1.1" })
  refused("route 10.2.0.0/16: there is one already", add, { dst = "10.2.0.0/16", via = "10.1.1.9", metric = 50 })
  refused("route 10.7.0.0/16: there is no such route", mt.route.del, { dst = "10.7.0.0/16", netns = netns })
  refused("gateway is not reachable", add, { dst = "10.7.0.0/16", via = "10.99.1.1", table = 1000 })
  mt.route.del { dst = "10.2.0.0/16", via = "10.1.1.9", metric = 50, netns = netns }
  has("deleted", show "10.2.0.0/16", nil)
  mt.route.del { dst = "10.6.0.0/16", netns = netns }
  has("deleted hops", show "10.6.0.0/16", nil)
end
LUA
}

@test "ip confirms neighbours, settings and namespaces" {
  lua_says <<'LUA'
mt.netns.add "lab"
assert(find(ip "netns list", { name = "lab" }))
has("lo", ip("link show lo", "lab")[1].flags[2], "UP")
refused("netns lab: exists already", mt.netns.add, "lab")
refused("a/b", mt.netns.add, "a/b")
local listed = false
for _, name in ipairs(mt.netns.list()) do listed = listed or name == "lab" end
assert(listed)
for _, ns in ipairs { false, "lab" } do
  local netns = ns or nil
  assert(mt.veth({ name = "v0", addr = { "10.1.1.1/24", "fd00::1/64" }, netns = netns }, { name = "v1", netns = netns }))
  mt.neigh.add { dst = "10.1.1.9", lladdr = "02:00:00:00:00:09", dev = "v0", netns = netns }
  mt.neigh.add { dst = "fd00::9", lladdr = "02:00:00:00:00:09", dev = "v0", netns = netns }
  for _, dst in ipairs { "10.1.1.9", "fd00::9" } do
    local entry = find(ip("neigh show", netns), { dst = dst })
    has("neigh", entry, { lladdr = "02:00:00:00:00:09", dev = "v0", state = { "PERMANENT" } })
    has("list", find(mt.neigh.list { dev = "v0", netns = netns }, { dst = dst }), { lladdr = entry.lladdr, dev = "v0", state = "permanent" })
    mt.neigh.del { dst = dst, dev = "v0", netns = netns }
    has("deleted", find(ip("neigh show nud permanent", netns), { dst = dst }), nil)
  end
  refused("10.1.1.7", mt.neigh.del, { dst = "10.1.1.7", dev = "v0", netns = netns })
  for _, name in ipairs { "net.ipv4.conf.v0.rp_filter", "net/ipv4/conf/v0/rp_filter" } do
    for value = 1, 2 do
      mt.sysctl.set(name, value, { netns = netns })
      has(name, (output("sysctl -n net.ipv4.conf.v0.rp_filter", netns)), tostring(value))
      has(name, mt.sysctl.get(name, { netns = netns }), tostring(value))
    end
  end
  refused("sysctl net/ipv4/nothing: there is none of that name", mt.sysctl.set, "net.ipv4.nothing", 1, { netns = netns })
  refused("sysctl net/ipv4/ip_forward: does not take", mt.sysctl.set, "net.ipv4.ip_forward", "much", { netns = netns })
  mt.link.del("v0", { netns = netns })
end
mt.netns.del "lab"
assert(not find(ip "netns list", { name = "lab" }))
refused("netns lab: no such namespace", mt.netns.del, "lab")
LUA
}

@test "every maker works in a namespace" {
  lua_says <<'LUA'
local tun = assert(mt.tun { name = "tun0", addr = "10.20.0.1/24", netns = "one" })
local tap = assert(mt.tap { name = "tap0", addr = "10.21.0.1/24", netns = "one" })
has("tun0", ip("link show tun0", "one")[1], { linkinfo = { info_kind = "tun", info_data = { type = "tun" } } })
has("tap0", ip("link show tap0", "one")[1], { linkinfo = { info_data = { type = "tap" } } })
has("tap0", mt.link.get("tap0", { netns = "one" }), { kind = "tap", netns = "one", up = true })
local a, b = assert(mt.veth({ name = "v0", addr = "10.22.0.1/24", netns = "one" }, { name = "v0", netns = "two" }))
has("a", a, { name = "v0", netns = "one", kind = "veth" })
local port = assert(mt.attach { name = "v0", netns = "two" })
tun:on("icmp", mt.reflect {})
port:on(nil, mt.reflect { net = "10.22.0.0/24" })
local seen = mt.sniff { links = { "v0" }, match = "icmp", netns = "one" }
local _, status = output("ping -n -c 2 -i 0.01 -w 10 10.20.0.9", "one")
has("ping over tun", status, 0)
_, status = output("ping -n -c 2 -i 0.01 -w 10 10.22.0.9", "one")
has("ping over veth", status, 0)
has("seen", #seen:stop().packets, 4)
LUA
}

@test "what ip makes, moontap lists, field by field" {
  ip link add hbr type bridge
  ip link add h0 mtu 1400 address 02:00:00:00:00:01 master hbr type veth peer name h1
  ip link add hvx type vxlan id 9 dstport 4789 local 127.0.0.1
  ip link set hbr up
  ip link set h1 up
  ip link set h0 up
  ip addr add 10.1.1.1/24 dev hbr
  ip addr add fd00::1/64 dev hbr nodad
  ip route add 10.2.0.0/16 via 10.1.1.9 metric 7
  ip route add unreachable 10.3.0.0/16 table 88
  ip route add 10.4.0.0/16 nexthop via 10.1.1.8 weight 3 nexthop via 10.1.1.9
  ip -6 route add default via fd00::9 metric 4
  ip neigh add 10.1.1.9 lladdr 02:00:00:00:00:09 dev hbr nud permanent
  ip rule add priority 66 from 10.1.0.0/16 table 88
  lua_says <<'LUA'
local count = 0
for _, link in ipairs(ip "link show") do
  local up = false
  for _, flag in ipairs(link.flags) do up = up or flag == "UP" end
  has(link.ifname, mt.link.get(link.ifname), { ifindex = link.ifindex, mtu = link.mtu, up = up,
    mac = link.link_type == "ether" and link.address or nil, master = link.master,
    kind = link.linkinfo and link.linkinfo.info_kind, peer = link.link })
  count = count + 1
end
has("links", #mt.link.list(), count)
count = 0
for _, link in ipairs(ip "addr show") do
  for _, addr in ipairs(link.addr_info) do
    local text = addr["local"] .. "/" .. addr.prefixlen
    has(text, find(mt.addr.list(), { addr = text, dev = link.ifname }), { scope = addr.scope, tentative = addr.tentative or false })
    count = count + 1
  end
end
has("addrs", #mt.addr.list(), count)
count = 0
for family, option in pairs { [4] = "-4", [6] = "-6" } do
  for _, route in ipairs(ip(option .. " route show table all")) do
    local dst = route.dst
    if dst ~= "default" and not dst:find "/" then dst = dst .. (family == 4 and "/32" or "/128") end
    local ours = find(mt.route.list { table = 0 }, { dst = dst, family = family, dev = route.dev, table = route.table or "main",
      kind = route.type or "unicast", via = route.gateway })
    has(dst, ours, { src = route.prefsrc, metric = route.metric ~= 0 and route.metric or nil, scope = route.scope })
    for i, hop in ipairs(route.nexthops or {}) do
      has(dst .. " hop", ours.hops[i], { via = hop.gateway, dev = hop.dev, weight = hop.weight })
    end
    count = count + 1
  end
end
has("routes", #mt.route.list { table = 0 }, count)
has("main", find(mt.route.list(), { table = "local" }), nil)
assert(find(mt.route.list { table = "local" }, { dst = "10.1.1.1/32", kind = "local" }))
has("neigh", find(mt.neigh.list(), { dst = "10.1.1.9" }), { lladdr = "02:00:00:00:00:09", state = "permanent", dev = "hbr" })
count = 0
for family, option in pairs { [4] = "-4", [6] = "-6" } do
  for _, rule in ipairs(ip(option .. " rule")) do
    has("rule", find(mt.route.rules(), { priority = rule.priority, family = family }), { table = rule.table,
      src = rule.src .. (rule.srclen and "/" .. rule.srclen or "") })
    count = count + 1
  end
end
has("rules", #mt.route.rules(), count)
assert(tostring(mt.route.list()):find "10.2.0.0/16 +10.1.1.9")
LUA
  ip rule del priority 66
  ip route flush table 88
}

@test "a persistent tun of a user's is attached" {
  ip tuntap add dev tun7 mode tun user 4321
  lua_says <<'LUA'
local tun = assert(mt.tun { name = "tun7", addr = "10.20.0.1/24" })
tun:on("icmp", mt.reflect {})
local _, status = output "ping -n -c 1 -w 10 10.20.0.9"
has("ping", status, 0)
refused("tun7", mt.tap, { name = "tun7" })
LUA
  ip link show tun7
}

@test "names, prefixes, MACs and MTUs are checked before the kernel sees them" {
  lua_says <<'LUA'
assert(mt.link.add { name = "v0", kind = "veth", peer = "v1" })
refused("15 bytes", mt.link.add, { name = "sixteen-bytes-xx", kind = "bridge" })
refused("name", mt.link.set, "v0", { name = "a/b" })
refused("mtu", mt.link.set, "v0", { mtu = 3 })
refused("mac", mt.link.set, "v0", { mac = "02:00" })
refused("addr", mt.addr.add, { addr = "10.1.1.1/33", dev = "v0" })
refused("dst", mt.neigh.add, { dst = "10.1.1", lladdr = "02:00:00:00:00:09", dev = "v0" })
refused("did you mean v0", mt.addr.add, { addr = "10.1.1.1/24", dev = "vO" })
refused("did you mean \"mtu\"", mt.link.set, "v0", { mtuu = 1300 })
refused("master", mt.link.set, "v0", { master = 7 })
LUA
}
