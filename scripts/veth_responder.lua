-- Answers pings at the far end of a veth pair, in a namespace where nobody has an address.
local mt <const> = require "moontap"

assert(mt.veth({ name = "veth0", addr = "10.1.1.1/24" }, { name = "veth1", netns = "lab" }))
print "veth0 has 10.1.1.1/24 here; veth1 is in the namespace \"lab\", without an address"

local port <const> = assert(mt.attach { name = "veth1", netns = "lab" })
port:on("arp or icmp", function(pkt) print("-> " .. tostring(pkt)) end)
port:on(nil, mt.reflect { net = "10.1.1.0/24", except = "10.1.1.1" })
print "moontap reads it (->), and answers ARP and echo requests for 10.1.1.0/24\n"

local ping <const> = { "ping", "-n", "-c", "3", "-i", "0.3", "-w", "10", "10.1.1.2" }
ping.on_line = print
local status <const> = assert(mt.spawn(ping)):wait()

print "\nWhom veth0 knows now:"
print(mt.neigh.list { dev = "veth0" })
mt.stop(status)
