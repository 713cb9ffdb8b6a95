-- The C reflector alone on a tun or tap: ARGS are the kind and, if any, the back end.
local mt <const> = require "moontap"

local kind <const>, io <const> = ...
local make <const> = kind == "tap" and mt.tap or mt.tun
local port <const> = assert(make { name = kind .. "0", addr = "192.168.1.134/24", io = io })

port:on("", mt.reflect { mac = kind == "tap" and "02:00:00:00:00:99" or nil })
