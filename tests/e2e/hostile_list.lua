-- Prints the hostile set for a shell: the frames' last request and its answer, then a line each of
-- frame, expected answer or "-", drop reason or "-", name, with tabs between them.
local tests <const> = ...
local hostile <const>, hex <const> = dofile(tests .. "/spec/hostile.lua"), dofile(tests .. "/spec/frames.lua").hex

print(hex(hostile.last), hex(hostile.last_answer))
for _, case in ipairs(hostile.cases) do
  if case.first == "eth" and not case.memory then
    print(hex(case.frame), case.expect or "-", case.drop or "-", case.name)
  end
end
