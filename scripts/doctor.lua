-- Says why there is no reply: doctor [--netns NAME] [SRC] [DST].
local mt <const> = require "moontap"

local words, netns = { ... }, nil
if words[1] == "--netns" then
  netns = words[2]
  words = { table.unpack(words, 3) }
end
local src <const>, dst <const> = words[2] and words[1], words[2] or words[1]
local report <const> = mt.doctor { src = src, dst = dst, netns = netns }
for _, finding in ipairs(report) do
  print(("%-2s  %s"):format(finding.mark, finding.text))
end
if report.cause then
  print("\ncause: " .. report.cause)
  print("fix:   " .. report.fix)
else
  print("\nnothing wrong found")
end
mt.stop(report.cause and 1 or 0)
