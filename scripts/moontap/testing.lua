-- Runs a policy without a network: packets, time and chance come from a test. See docs/testing.md.
local mt <const> = require "moontap"

---@class moontap.seen          one packet that left, was dropped or taken over; or an error alone
---@field port string           it left by this port; if it stayed, it had come in by it
---@field packet moontap.packet as it left, or as it was dropped
---@field verdict string        "reply", "rewrite", "pass", "drop", "handled"; "send" by port:send
---@field rule string?          the label of the rule that decided; nil for the port's default
---@field from string?          it came in by this port; nil where the script itself sent it
---@field reason string?        why it did not leave: a drop's reason, or that of the port
---@field error string?         what failed in the script, "file:line: what"
---@field time number           on the script's clock

---@class moontap.test
---@field send fun(t: moontap.test, port: string, packet: moontap.packet|string): moontap.seen[]
---@field advance fun(t: moontap.test, seconds: number): moontap.seen[]
---@field close fun(t: moontap.test)
---@field loaded moontap.seen[] what the script sent while it was loaded
---@field network string[]      its changes of the network, as ip, ip netns and sysctl lines
---@field output string         what it printed
---@field log string            what was logged
---@field ports string[]        its open ports
---@field time number           its clock: seconds since 1970, 1e9 at first
---@field stopped integer?      the status, once it has called mt.stop

return {
  ---@type fun(path: string, options: { args: string[]?, seed: integer? }?): moontap.test
  load = mt.testing.load,
}
