-- Runs busted, Debian's, inside moontap: require "moontap" is the real thing there. At the end tshark
-- has a look at the packets.
local mt <const> = require "moontap"
local recorder <const> = require "tests.spec.recorder"

recorder.start()
require "busted.runner" { standalone = false, output = "TAP" }
-- All went well so far.
local complaints <const> = recorder.complaints()
for i = 1, math.min(#complaints, 20) do io.stderr:write(complaints[i], "\n") end
if #complaints > 0 then io.stderr:write(("tshark: %d of %d packets\n"):format(#complaints, recorder.count())) end
-- A port that a spec left open must not keep the run.
mt.stop(#complaints > 0 and 1 or 0)
