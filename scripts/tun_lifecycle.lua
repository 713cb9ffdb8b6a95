-- Shows the life of a tun device: made, addressed, routed to, used, deleted.
local mt <const> = require "moontap"

local tun <const> = assert(mt.tun { name = "tun0", up = false })
print "made:       tun0, which lives as long as this script holds it open\n"
print(mt.link.list())

mt.link.set("tun0", { up = true })
mt.addr.add { addr = "192.168.1.134/24", dev = "tun0" }
print "\naddressed:  up, with 192.168.1.134/24; that made a route of its own"
mt.route.add { dst = "192.168.0.1/32", dev = "tun0" }
print "routed to:  one host more, 192.168.0.1\n"
print(mt.route.list())

print "\nused:       the script reads what the kernel sends (->), and answers\n"
tun:on("icmp", function(pkt) print("-> " .. tostring(pkt)) end)
tun:on(nil, mt.reflect { net = "192.168.0.1" })
local ping <const> = { "ping", "-n", "-c", "2", "-i", "0.3", "-w", "10", "192.168.0.1" }
ping.on_line = print
local status <const> = assert(mt.spawn(ping)):wait()

tun:close()
print "\ndeleted:    closed, so it is gone, and its address and its routes with it\n"
print(mt.link.list())
print(#mt.route.list() .. " routes")
mt.stop(status)
