-- Two veth ends joined: what comes in by one goes out by the other, nothing is looked into.
local mt <const> = require "moontap"

local left <const>, right <const>, io <const> = ...

mt.bridge(assert(mt.attach { name = left, promisc = true, io = io }),
  assert(mt.attach { name = right, promisc = true, io = io }))
