-- Pings one end of a veth pair from the other, in one namespace, and shows where each packet goes.
local mt <const> = require "moontap"
local links <const> = { "veth0", "veth1", "lo" }

local function ping(...)
  local sniff <const> = assert(mt.sniff { links = links, match = "arp or icmp" })
  local command <const> = { "ping", "-n", "-I", "veth0", ... }
  print("\n$ " .. table.concat(command, " "))
  command.on_line = function(line) if line:find "icmp_seq" then print(line) end end
  local status <const> = assert(mt.spawn(command)):wait()
  mt.sleep(0.1) -- the last reply may still be on its way to us
  print("\n" .. mt.diagram(sniff:stop().packets, { links = links }))
  return status == 0
end

print [[
1. A veth pair is a cable with two ends. Both are here: 10.1.1.1 on veth0 and
10.1.1.2 on veth1. A ping goes out of veth0, without any further setting:]]
local _, veth1 <const> = assert(mt.veth(
  { name = "veth0", addr = "10.1.1.1/24" }, { name = "veth1", addr = "10.1.1.2/24" }))
local is_replied <const> = ping("-c", "1", "-i", "5", "-w", "5", "10.1.1.2")
print(is_replied and "\nA reply: this kernel needs no setting." or [[

No reply. veth0 asks (by ARP) who has 10.1.1.2, and veth1 hears it. But it is
10.1.1.1 that asks, an address of this same kernel. It takes that for a forgery
and keeps silent: accept_local is 0. (An rp_filter of 1 would be enough, too.)
After three questions the kernel tells ping so: "unreachable", over lo.]])

print [[

2. veth1 is told to accept what comes from an address of its own kernel. Of the
two values of rp_filter, that of all and its own, the larger counts.
]]
for _, name in ipairs { "veth1.accept_local=1", "veth1.rp_filter=0", "all.rp_filter=0" } do
  local key <const>, value <const> = ("net.ipv4.conf." .. name):match "(.+)=(.+)"
  print(("$ sysctl -w %s=%s"):format(key, value))
  mt.sysctl.set(key, value)
end
local is_answered <const> = ping("-c", "3", "-i", "0.3", "-w", "10", "10.1.1.2")

print [[

The requests cross the pair: out of veth0, in by veth1. The replies do not come
back that way. They travel over lo, and the table "local", which the kernel asks
before all others, is why: an address of this kernel is reached without a cable.
]]
for _, route in ipairs(mt.route.list { table = "local" }) do
  if route.dst:find "^10%." and route.kind == "local" then
    print(("  %s %s dev %s table %s"):format(route.kind, route.dst, route.dev, route.table))
  end
end
local way <const> = assert(mt.route.get("10.1.1.1", { src = "10.1.1.2" }))
print "\n$ ip route get 10.1.1.1 from 10.1.1.2"
print(("  %s %s dev %s"):format(way.kind, way.dst, way.dev))

print "\n3. A cable has two ends or none. veth0 is deleted:\n\n$ ip link del veth0"
mt.link.on_change(function(change)
  if change.gone and change.ifindex == veth1.ifindex then print "the kernel says: veth1 is gone" end
end)
mt.link.del "veth0"
mt.sleep(0.2)
print(mt.link.list())
print "\nOnly lo is left; the settings are put back when this script ends."
mt.stop(is_answered and 0 or 1)
