-- Draws sniffed packets as a sequence diagram: a line for each link, an arrow for each packet.

local WIDTH <const>, FIRST <const>, LAST_LABEL <const> = 80, 9, 20
local JOIN_WITHIN <const> = 0.1 -- seconds between a packet's leaving one end and reaching the other
local UTF8 <const> = {
  life = "│", line = "─", right = "▶", left = "◀", cross = "┼", mark = "●", cut = "…",
}
local ASCII <const> = {
  life = "|", line = "-", right = ">", left = "<", cross = "+", mark = "*", cut = "~",
}
local COLOURS <const> = {
  request = "\27[36m", reply = "\27[32m", neighbour = "\27[33m", other = "\27[31m",
}

-- What tostring(pkt) says, where the rest is known: { pattern, label, what it is }.
local LABELS <const> = {
  { "ICMP6?,? echo request,.- seq (%d+)", "echo request %s", "request" },
  { "ICMP6?,? echo reply,.- seq (%d+)", "echo reply %s", "reply" },
  { "^ARP, Request who%-has (%S+)", "who-has %s", "neighbour" },
  { "^ARP, Reply (%S+) is%-at", "is-at (%s)", "neighbour" },
  { "neighbor solicitation, who has ([%x:.]+)", "ND who-has %s", "neighbour" },
  { "neighbor advertisement, tgt is ([%x:.]+)", "ND is-at (%s)", "neighbour" },
  { "ICMP6?,? (.-unreachable)", "%s", "other" },
  { "ICMP6?,? ([^,]+)", "%s", "other" },
}

local function label_of(text)
  for _, entry in ipairs(LABELS) do
    local found <const> = text:match(entry[1])
    if found then return entry[2]:format(found), entry[3] end
  end
  return text, "other"
end

-- One step a packet: what leaves one link and comes in by another is one step, not two.
local function steps_of(packets, is_drawn)
  local steps <const> = {}
  for _, pkt in ipairs(packets) do
    local text <const>, joined = tostring(pkt), nil
    for i = 1, pkt.dir == "in" and #steps or 0 do
      local step <const> = steps[i]
      if step.dir == "out" and not step.to and step.text == text and step.from ~= pkt.link
        and pkt.time - step.time <= JOIN_WITHIN and not joined then
        joined = step
      end
    end
    if joined and is_drawn[pkt.link] then
      joined.to = pkt.link
    elseif is_drawn[pkt.link] then
      steps[#steps + 1] = {
        pkt = pkt, time = pkt.time, from = pkt.link, dir = pkt.dir, text = text,
      }
    end
  end
  return steps
end

local function links_of(packets)
  local links <const>, seen <const> = {}, {}
  for _, pkt in ipairs(packets) do
    if not seen[pkt.link] then links[#links + 1] = pkt.link end
    seen[pkt.link] = true
  end
  return links
end

-- Where the label begins in a row, and the label, cut where the room ends.
local function put(row, at, text, room, cut)
  if utf8.len(text) and utf8.len(text) > room then
    text = room > 1 and text:sub(1, utf8.offset(text, room) - 1) .. cut or ""
  end
  for _, code in utf8.codes(text) do
    row[at] = utf8.char(code)
    at = at + 1
  end
  return at
end

local function lifelines(columns, life)
  local row <const> = {}
  for i = 1, WIDTH do row[i] = " " end
  for _, column in pairs(columns) do row[column] = life end
  return row
end

local function arrow(row, from, to, label, set)
  local low <const>, high <const> = math.min(from, to) + 1, math.max(from, to) - 1
  for i = low, high do row[i] = row[i] == " " and set.line or set.cross end
  local room <const> = high - low - 3
  local len <const> = math.min(utf8.len(label) or 0, room)
  local at <const> = low + (high - low - len) // 2
  if room > 3 then row[put(row, at + 1, label, room, set.cut)], row[at] = " ", " " end
  row[to > from and high or low] = to > from and set.right or set.left
end

local function mark(row, step, column, gap, label, set)
  local sign <const> = step.from == "lo" and set.mark
    or step.dir == "out" and set.line .. set.right or set.left .. set.line
  local at <const> = put(row, step.from == "lo" and column or column + 1, sign, 2, set.cut)
  put(row, at + 1, label, math.min(gap - 1, WIDTH + 1) - (at - column) - 1, set.cut)
end

local function is_utf8()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value <const> = os.getenv(name)
    if value and value ~= "" then return value:lower():find "utf%-?8" ~= nil end
  end
  return false
end

local function is_coloured()
  return (os.getenv "NO_COLOR" or "") == "" and os.execute "[ -t 1 ]" == true
end

local function option(options, key, default)
  if options[key] == nil then return default() end
  return options[key]
end

local KEYS <const> = { links = "table", note = "function", utf8 = "boolean", colour = "boolean" }

local function check(packets, options)
  if type(packets) ~= "table" then
    error("mt.diagram: takes a list of packets, not a " .. type(packets), 3)
  end
  for key, value in pairs(options) do
    if not KEYS[key] then
      error(("mt.diagram: unknown key \"%s\" (it knows links, note, utf8, colour)"):format(key), 3)
    elseif type(value) ~= KEYS[key] then
      error(("mt.diagram: %s must be a %s, not a %s"):format(key, KEYS[key], type(value)), 3)
    end
  end
end

---@class moontap.diagram.options
---@field links? string[] a lifeline each, in this order; those of the packets unless given
---@field note? fun(pkt): string? a line to write under that packet
---@field utf8? boolean as the locale says unless given
---@field colour? boolean on a terminal, without NO_COLOR, unless given

---@param packets table of mt.sniff: pkt.link, pkt.dir, pkt.time, tostring(pkt)
---@param options? moontap.diagram.options
---@return string text lines of at most 80 columns, without a newline at the end
local function diagram(packets, options)
  options = options or {}
  check(packets, options)
  local links <const> = options.links or links_of(packets)
  local set <const> = option(options, "utf8", is_utf8) and UTF8 or ASCII
  local colour <const> = option(options, "colour", is_coloured)
  local gap <const> = math.min(24, (WIDTH - FIRST - LAST_LABEL) // math.max(1, #links - 1))
  local columns <const>, names <const>, lines <const> = {}, lifelines({}, " "), {}

  local function add(row) lines[#lines + 1] = (table.concat(row):gsub("%s+$", "")) end

  for i, link in ipairs(links) do
    columns[link] = FIRST + (i - 1) * gap
    put(names, columns[link], link, i < #links and gap - 1 or LAST_LABEL, set.cut)
  end
  add(names)
  add(lifelines(columns, set.life))
  local steps <const> = steps_of(packets, columns)
  for _, step in ipairs(steps) do
    local row <const> = lifelines(columns, set.life)
    local label <const>, what <const> = label_of(step.text)
    put(row, 1, ("%6.3f"):format(step.time - steps[1].time), FIRST - 2, set.cut)
    if step.to then
      arrow(row, columns[step.from], columns[step.to], label, set)
    else
      local is_last <const> = step.from == links[#links]
      local room <const> = is_last and WIDTH - columns[step.from] + 2 or gap
      mark(row, step, columns[step.from], room, label, set)
    end
    add(row)
    if colour then lines[#lines] = COLOURS[what] .. lines[#lines] .. "\27[0m" end
    local note <const> = options.note and options.note(step.pkt)
    if note then
      lines[#lines + 1] = (" "):rep(FIRST - 1) .. "^ " .. note
    end
  end
  return table.concat(lines, "\n")
end

return diagram
