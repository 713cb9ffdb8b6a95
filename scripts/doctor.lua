-- Says why there is no reply: doctor [--netns NAME] [SRC] [DST].
local mt <const> = require "moontap"

local WIDTH <const> = 80

-- Prints words behind a head, within the terminal's width; what is quoted stays whole. `more` is
-- put at the end of a line that goes on: a backslash for commands, so that they can be copied.
local function say(head, text, more)
  local line, indent = head, (" "):rep(#head)
  text = text:gsub("(['\"])(.-)%1", function(quote, inner)
    return quote .. inner:gsub(" ", "\0") .. quote
  end)
  for word in text:gmatch "%S+" do
    word = word:gsub("\0", " ")
    if #line > #indent and #line + #word + #more + 1 > WIDTH then
      print(line .. more)
      line = indent .. word
    else
      line = line .. (#line > #indent and " " or "") .. word
    end
  end
  print(line)
end

local words, netns = { ... }, nil
if words[1] == "--netns" then
  netns = words[2]
  words = { table.unpack(words, 3) }
end
local src <const>, dst <const> = words[2] and words[1], words[2] or words[1]
local report <const> = mt.doctor { src = src, dst = dst, netns = netns }
for _, finding in ipairs(report) do say(("%-2s  "):format(finding.mark), finding.text, "") end
print()
if report.cause then
  say("cause: ", report.cause, "")
  say("fix:   ", report.fix, " \\")
else
  print("nothing wrong found")
end
mt.stop(report.cause and 1 or 0)
