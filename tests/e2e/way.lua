-- Ends with 0 where the ports of this machine move packets in the way that is asked for.
local mt = require "moontap"
local way = ...

local tun = assert(mt.tun { name = "tun0" })
assert(mt.veth({ name = "veth0" }, { name = "veth1" }))
local port = assert(mt.attach "veth1")
local function is(what, wanted) return assert(what == wanted, tostring(what)) end

if way == "workers" then
  is(mt.worker.count, 2)
elseif way == "epoll" or way == "uring" then
  is(tun.io, way)
else
  is(port.io, way)
end
if mt.worker.id == mt.worker.count then mt.stop() end
