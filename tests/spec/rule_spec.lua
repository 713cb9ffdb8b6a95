-- Rules: what matches, in which order, and what functions may say.
local mt <const> = require "moontap"

local ECHO <const> = "\x45\x00\x00\x1c\x00\x01\x40\x00\x40\x01\xb6\xa5\xc0\xa8\x01\x86\xc0\xa8\x01\x64"
  .. "\x08\x00\xd6\xcb\x21\x33\x00\x01"

describe("a port's rules", function()
  local near, far, got

  -- What is sent by `near` meets the rules of `far`; what comes back is kept in `got`.
  before_each(function()
    near, far = mt.pair("ip", "near", "far")
    got = {}
    near:on(nil, function(pkt)
      got[#got + 1] = pkt:copy()
      return "handled"
    end)
  end)

  after_each(function()
    near:close()
    far:close()
  end)

  local function send(bytes)
    local before <const>, give_up <const> = far.counters.rx_packets, mt.now() + 10
    near:send(bytes or ECHO)
    while far.counters.rx_packets == before or near.counters.rx_packets < far.counters.tx_packets do
      assert(mt.now() < give_up, "the packet does not arrive")
      mt.sleep(0.001)
    end
  end

  it("reply turns the packet round", function()
    far:on(nil, "reply")
    send()
    assert.equal(1, #got)
    assert.equal("IP 192.168.1.100 > 192.168.1.134: ICMP echo reply, id 8499, seq 1, length 8",
      tostring(got[1]))
  end)

  it("keep a ttl that the script wrote, and set 64 otherwise", function()
    far:on("icmp", function(pkt)
      pkt.ip.ttl = 42
      return "reply"
    end)
    send()
    assert.equal(42, got[1].ip.ttl)
  end)

  it("are asked in order; nil falls through", function()
    local order <const> = {}
    far:on(nil, function() order[#order + 1] = 1 end)
    far:on("udp", function() order[#order + 1] = "never" end)
    far:on("icmp", function() order[#order + 1] = 2 end, function() order[#order + 1] = 3 return "reply" end)
    far:on(nil, function() order[#order + 1] = "never" end)
    send()
    assert.same({ 1, 2, 3 }, order)
    assert.equal(1, #got)
  end)

  it("count hits and bytes under file:line, or a label", function()
    local rule <const> = far:on("icmp", "reply")
    far:before(rule, "udp", "drop")
    send()
    send()
    assert.equal(2, rule.hits)
    assert.equal(56, rule.bytes)
    assert.truthy(rule.label:match "^rule_spec.lua:%d+$")
    rule.label = "echo"
    assert.equal("rule echo: icmp -> reply (hits 2, bytes 56)", tostring(rule))
  end)

  it("are listed in order with match, actions and counts, as the script wrote them", function()
    assert.equal(0, #far.rules)
    local last <const> = far:on("icmp and dst net 10.0.0.0/8", mt.set { ["ip.ttl"] = 42 }, "reply", function() end)
    local first <const> = far:before(last, { ["not"] = { tcp = true }, ["ip.ttl"] = { 1, mt.range(5, 9) } }, "pass")
    local rules <const> = far.rules
    assert.equal(first, rules[1])
    assert.equal(last, rules[2])
    assert.not_equal(first, rules[2])
    assert.equal('{ ["ip.ttl"] = { 1, mt.range(5, 9) }, ["not"] = { tcp = true } }', first.match)
    assert.equal("icmp and dst net 10.0.0.0/8", last.match)
    assert.truthy(last.actions:match '^mt.set { %["ip.ttl"%] = 42 }, reply, function rule_spec.lua:%d+$')
    first.label = "first"
    last.label = "2"
    last.on_error = "pass"
    assert.equal("pass", last.on_error)
    local lines <const> = {}
    for line in tostring(rules):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.truthy(lines[1]:match "^label  hits  bytes  match +actions$")
    assert.truthy(lines[2]:match "^first  0     0      { .* }  pass$")
    assert.truthy(lines[3]:match "^2      0     0      icmp and dst net 10.0.0.0/8 +mt.set")
    first:remove()
    assert.truthy(tostring(first):match "%(removed%)$")
    assert.equal(1, #far.rules)
    assert.equal("all", far:policy { { nil, "drop" } }[1].match)
  end)

  it("can be removed, and put before others", function()
    local last <const> = far:on(nil, "reply")
    local first <const> = far:before(last, nil, "drop")
    send()
    assert.equal(0, #got)
    first:remove()
    send()
    assert.equal(1, #got)
  end)

  it("match by a function", function()
    local rule <const> = far:on(function(pkt) return pkt.icmp.ident == 8499 end, "reply")
    far:on(function(pkt) return pkt.udp end, function() error "never" end)
    send()
    assert.equal(1, #got)
    assert.equal(1, rule.hits)
  end)

  it("count no hit where the match function errs", function()
    local rule <const> = far:on(function() error "no" end, "reply")
    send()
    assert.equal(0, rule.hits)
    assert.equal(1, far.counters.script_errors)
  end)

  it("go by the port's default at the end", function()
    send()
    assert.equal(1, far.counters.drops.policy)
    far:pass_to(far)
    far.default = "pass"
    send()
    assert.equal(1, #got)
    assert.equal(ECHO, got[1]:bytes())
  end)

  it("lend the packet: it cannot be used after the call", function()
    local kept, kept_ip
    far:on(nil, function(pkt)
      kept, kept_ip = pkt, pkt.ip
    end)
    send()
    local message <const> = "packet used after its verdict; keep one with pkt:copy()"
    assert.has_error(function() return kept.ip end, message)
    assert.has_error(function() return kept_ip.ttl end, message)
    assert.has_error(function() kept_ip.ttl = 1 end, message)
    assert.has_error(function() return #kept end, message)
    assert.has_error(function() return kept:copy() end, message)
  end)

  it("see the layers of each packet, however they follow each other", function()
    local ICMP <const>, UDP <const> = { { "ip" }, { "icmp" } }, { { "ip" }, { "udp" } }
    local TCP6 <const>, BARE <const> = { { "ipv6" }, { "tcp" } }, { { "ip", proto = 253 } }
    local seen <const> = {}
    far:on(nil, function(pkt)
      local names <const> = {}
      for _, name in ipairs { "eth", "ip", "ipv6", "icmp", "udp", "tcp", "dns" } do
        if pkt[name] then names[#names + 1] = name end
      end
      assert(table.concat(names, " ") == table.concat(pkt:layers(), " "), "not what layers() says")
      seen[#seen + 1] = table.concat(names, " ")
      assert(not pkt.ip or pkt.ip.ttl == 64)
      assert(tostring(pkt) and #pkt > #pkt.payload)
      return "drop"
    end)
    for _, stack in ipairs { ICMP, UDP, ICMP, ICMP, TCP6, BARE, UDP } do
      near:send(mt.packet { stack[1], stack[2] or "x", stack[2] and "x" })
    end
    send() -- all of them at once
    seen[#seen] = nil
    assert.equal(0, far.counters.script_errors)
    assert.same({ "ip icmp", "ip udp", "ip icmp", "ip icmp", "ipv6 tcp", "ip", "ip udp" }, seen)
  end)

  it("see the layers that an edit gives the packet, and keep their names from being written", function()
    local raised, before, after, unknown
    far:on(nil, function(pkt)
      raised = { pcall(function() pkt.ip = 1 end) }
      unknown = { pcall(function() return pkt.imcp end) }
      before = { pkt.gre ~= nil, pkt.icmp ~= nil }
      pkt:pop "gre"
      after = { pkt.gre ~= nil, pkt.icmp ~= nil }
      return "drop"
    end)
    send(mt.packet { { "ip" }, { "icmp", type = 8 }, "x" }:push { { "ip" }, { "gre" } })
    assert.is_false(raised[1])
    assert.matches("packet.ip cannot be written", raised[2], 1, true)
    assert.is_false(unknown[1])
    assert.matches('a packet has no "imcp" (did you mean "icmp"?)', unknown[2], 1, true)
    assert.same({ true, false }, before)
    assert.same({ false, true }, after)
  end)

  it("cost only that packet where a function errs or returns nonsense", function()
    local results <const> = { 42, "repyl", {}, true }
    local n = 0
    far:on(nil, function()
      n = n + 1
      if n > #results then error { code = n } end
      return results[n]
    end)
    for _ = 1, #results + 1 do send() end
    assert.equal(5, far.counters.script_errors)
    assert.equal(5, far.counters.drops.script_error)
    assert.equal(5, far.counters.dropped)
  end)

  it("say rewrite, not reply, after addresses were written by hand", function()
    far:on(nil, function(pkt)
      pkt.ip.src, pkt.ip.dst = pkt.ip.dst, pkt.ip.src
      return "reply"
    end)
    send()
    assert.equal(1, far.counters.script_errors)
    assert.equal(0, #got)
  end)

  it("refuse what is no match, action or verdict", function()
    assert.has_error(function() far:on(nil) end,
      "a rule needs an action: a verdict, mt.reflect{} or a function")
    assert.has_error(function() far:on(nil, "repyl") end,
      '"repyl" is no verdict (reply, rewrite, pass, drop or handled)')
    assert.has_error(function() far:on(42, "drop") end,
      "a match is nil, a pcap-filter string, a table of fields or a function, not a number")
    assert.has_error(function() far:on("host localhost", "drop") end,
      'filter: "localhost" is a name (write addresses, networks and ports as numbers)')
    assert.has_error(function() far:on("icpm", "drop") end,
      'filter: unknown word "icpm" (did you mean "icmp"?)')
  end)

  it("cannot wait inside a function", function()
    far:on(nil, function() mt.sleep(1) end)
    send()
    assert.equal(1, far.counters.script_errors)
  end)

  it("keep the counting identity", function()
    far:on("icmp", "reply")
    for _ = 1, 10 do send() end
    send "nonsense"
    local c <const> = far.counters
    assert.equal(c.rx_packets, c.replied + c.rewritten + c.passed + c.dropped + c.handled)
    assert.equal(11, c.rx_packets)
    assert.equal(1, c.malformed)
    assert.equal(1, c.drops.malformed)
  end)
end)
