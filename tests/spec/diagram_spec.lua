-- The sequence diagram: exact lines from given packets.
local mt <const> = require "moontap"
local diagram <const> = require "moontap.diagram"

local start <const> = 1700000000

local function seen(after, link, dir, text)
  return setmetatable({ time = start + after, link = link, dir = dir },
    { __tostring = function() return text end })
end

local function lines_of(packets, options)
  options.utf8, options.colour = options.utf8 or false, options.colour or false
  local lines <const> = {}
  for line in diagram(packets, options):gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

local who_has <const> = "ARP, Request who-has 10.1.1.2 tell 10.1.1.1, length 28"
local is_at <const> = "ARP, Reply 10.1.1.2 is-at 02:00:00:00:00:02, length 28"
local request <const> = "IP 10.1.1.1 > 10.1.1.2: ICMP echo request, id 7, seq %d, length 64"
local reply <const> = "IP 10.1.1.2 > 10.1.1.1: ICMP echo reply, id 7, seq %d, length 64"
local links <const> = { "veth0", "veth1", "lo" }
local tour <const> = {
  seen(0, "veth0", "out", who_has), seen(0, "veth1", "in", who_has),
  seen(0.001, "veth1", "out", is_at), seen(0.001, "veth0", "in", is_at),
  seen(0.002, "veth0", "out", request:format(1)), seen(0.0021, "veth1", "in", request:format(1)),
  seen(0.003, "lo", "in", reply:format(1)),
}

describe("a diagram", function()
  it("draws what crosses a pair as one arrow, and what passes lo as a mark", function()
    assert.same({
      "        veth0                   veth1                   lo",
      "        |                       |                       |",
      " 0.000  |--- who-has 10.1.1.2 ->|                       |",
      " 0.001  |<-- is-at (10.1.1.2) --|                       |",
      " 0.002  |---- echo request 1 -->|                       |",
      " 0.003  |                       |                       * echo reply 1",
    }, lines_of(tour, { links = links }))
  end)

  it("is drawn with lines where UTF-8 can be", function()
    local drawn <const> = lines_of(tour, { links = links, utf8 = true })
    assert.same({
      "        │                       │                       │",
      " 0.000  │─── who-has 10.1.1.2 ─▶│                       │",
      " 0.001  │◀── is-at (10.1.1.2) ──│                       │",
    }, { table.unpack(drawn, 2, 4) })
  end)

  it("joins the ends of a burst in order, each once", function()
    local packets <const> = {}
    for i = 1, 2 do packets[i] = seen(0, "a", "out", request:format(i)) end
    for i = 1, 2 do packets[i + 2] = seen(0.01, "b", "in", request:format(i)) end
    packets[5] = seen(0.02, "b", "in", request:format(2))
    assert.same({
      "        a                       b",
      "        |                       |",
      " 0.000  |---- echo request 1 -->|",
      " 0.000  |---- echo request 2 -->|",
      " 0.020  |                       |<- echo request 2",
    }, lines_of(packets, {}))
  end)

  it("joins nothing that is late, and leaves out links that are not asked for", function()
    assert.same({
      "        a                       b",
      "        |                       |",
      " 0.000  |-> who-has 10.1.1.2    |",
      " 2.500  |                       |<- who-has 10.1.1.2",
    }, lines_of({
      seen(0, "a", "out", who_has), seen(1, "c", "in", is_at), seen(2.5, "b", "in", who_has),
    }, { links = { "a", "b" } }))
  end)

  it("crosses the lifelines between, and cuts what does not fit", function()
    local text <const> = "IP 10.1.1.1.1000 > 10.1.1.2.53: UDP, length 1200, and so on"
    local drawn <const> = lines_of({ seen(0, "a", "out", who_has), seen(0, "c", "in", who_has),
      seen(0, "b", "in", text), seen(0, "c", "out", text) }, { links = { "a", "b", "c" } })
    assert.equal(" 0.000  |--------------- who-has 10.1.1.2 ------------->|", (drawn[3]:gsub("%+", "-")))
    assert.equal(" 0.000  |                       |<- IP 10.1.1.1.1000 >~ |", drawn[4])
    for _, line in ipairs(drawn) do assert.is_true(#line <= 80) end
  end)

  it("names neighbour discovery, IPv6 echoes and errors in short", function()
    local drawn <const> = lines_of({
      seen(0, "a", "in", "IP6 :: > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fd00::2, length 32"),
      seen(0, "a", "out", "IP6 fd00::2 > fd00::1: ICMP6, neighbor advertisement, tgt is fd00::2, length 32"),
      seen(0, "a", "in", "IP6 fd00::1 > fd00::2: ICMP6, echo request, id 1, seq 3, length 64"),
      seen(0, "a", "out", "IP 10.1.1.1 > 10.1.1.1: ICMP host 10.1.1.2 unreachable, length 92"),
    }, {})
    assert.same({ " 0.000  |<- ND who-has fd00::2", " 0.000  |-> ND is-at (fd00::2)",
      " 0.000  |<- echo request 3", " 0.000  |-> host 10.1.1.2 unreachable" }, { table.unpack(drawn, 3) })
  end)

  it("puts notes under packets, and colours only when told to", function()
    local function note(pkt) return pkt.link == "lo" and "by the table local" or nil end
    local drawn <const> = lines_of(tour, { links = links, note = note, colour = true })
    assert.equal("        ^ by the table local", drawn[7])
    assert.equal("\27[32m 0.003  |                       |                       * echo reply 1\27[0m", drawn[6])
  end)

  it("fits 80 columns with one link and with six", function()
    for count = 1, 6 do
      local packets <const>, names <const> = {}, {}
      for i = 1, count do
        names[i] = "longname" .. i
        packets[i] = seen(i, names[i], "in", ("x"):rep(200))
      end
      for _, line in ipairs(lines_of(packets, { links = names })) do assert.is_true(#line <= 80, line) end
    end
  end)

  it("of nothing is an empty picture; misuse says what was meant", function()
    assert.same({ "        a", "        |" }, lines_of({}, { links = { "a" } }))
    local _, message = pcall(diagram, {}, { color = true })
    assert.matches("unknown key \"color\" %(it knows", message)
    _, message = pcall(diagram, "x")
    assert.matches("takes a list of packets, not a string", message)
  end)

  it("takes packets as mt.sniff gives them", function()
    assert(mt.veth({ name = "dv0", addr = "10.9.1.1/24" }, { name = "dv1" }))
    local sniff <const> = assert(mt.sniff { links = { "dv0", "dv1" }, match = "arp" })
    mt.spawn({ "ping", "-c1", "-W1", "-w1", "10.9.1.2", on_line = function() end }):wait()
    local drawn <const> = lines_of(sniff:stop().packets, { links = { "dv0", "dv1" } })
    mt.link.del "dv0"
    assert.equal(" 0.000  |--- who-has 10.9.1.2 ->|", drawn[3])
  end)
end)
