-- port:policy replaces all rules at once, or none.
local mt <const> = require "moontap"

local ECHO <const> = "\x45\x00\x00\x1c\x00\x01\x40\x00\x40\x01\xb6\xa5\xc0\xa8\x01\x86\xc0\xa8\x01\x64"
  .. "\x08\x00\xd6\xcb\x21\x33\x00\x01"

describe("port:policy", function()
  local near, far, got

  before_each(function()
    near, far = mt.pair("ip", "near", "far")
    got = 0
    near:on(nil, function()
      got = got + 1
      return "handled"
    end)
  end)

  after_each(function()
    local c <const> = far.counters
    assert.equal(c.rx_packets, c.replied + c.rewritten + c.passed + c.dropped + c.handled)
    near:close()
    far:close()
  end)

  local function send()
    local before <const>, give_up <const> = far.counters.rx_packets, mt.now() + 10
    near:send(ECHO)
    while far.counters.rx_packets == before or near.counters.rx_packets < far.counters.tx_packets do
      assert(mt.now() < give_up)
      mt.sleep(0.001)
    end
  end

  it("asks its rules in order, and gives their handles", function()
    local order <const> = {}
    local rules <const> = far:policy {
      { "udp", "drop" },
      { nil, function() order[#order + 1] = 1 end },
      { "icmp", function() order[#order + 1] = 2 end, "reply", label = "echo" },
      { nil, "drop" },
    }
    send()
    assert.same({ 1, 2 }, order)
    assert.equal(1, got)
    assert.equal(4, #rules)
    assert.same({ 0, 1, 1, 0 }, { rules[1].hits, rules[2].hits, rules[3].hits, rules[4].hits })
    assert.equal("echo", rules[3].label)
    assert.truthy(rules[1].label:match "^policy_spec.lua:%d+$")
  end)

  it("replaces what was there, rules and default", function()
    local old <const> = far:on(nil, "reply")
    send()
    assert.equal(1, got)
    far.default = "pass"
    far:policy { { "udp", "reply" } }
    assert.equal("drop", far.default)
    send()
    assert.equal(1, got)
    assert.equal(1, old.hits)
    assert.equal(1, far.counters.drops.policy)
    far:policy { default = "pass" }
    assert.equal("pass", far.default)
    send()
    assert.equal(1, far.counters.drops.no_next)
  end)

  it("leaves all as it was where one rule is wrong", function()
    local rule <const> = far:on("icmp", "reply")
    far.default = "pass"
    local wrong <const> = {
      { { nil, "drop" }, { nil, "repyl" } },
      { { nil, "drop" }, { "icpm", "drop" } },
      { { nil, "drop" }, { nil } },
      { { nil, "drop" }, { nil, "drop", on_error = "explode" } },
      { { nil, "drop" }, { nil, "drop", label = {} } },
      { { nil, "drop" }, "drop" },
      { { nil, "drop" }, default = "reply" },
      { { nil, "drop" }, defualt = "drop" },
      { { nil, "drop" }, { 42, "drop" } },
    }
    for i, policy in ipairs(wrong) do
      assert.has_error(function() far:policy(policy) end, nil)
      send()
      assert.same({ i, i, "pass" }, { got, rule.hits, far.default })
    end
  end)

  it("says which rule and what is wrong", function()
    assert.error_matches(function() far:policy { { nil, "repyl" } } end, '"repyl" is no verdict', 1, true)
    assert.error_matches(function() far:policy { "drop" } end, "rule 1 must be a table { MATCH, ACTION... }", 1, true)
    assert.error_matches(function() far:policy { defualt = "drop" } end, 'unknown key "defualt"', 1, true)
    assert.error_matches(function() far:policy { default = "reply" } end, 'default is "drop" or "pass"', 1, true)
    assert.error_matches(function() far:policy "drop" end, "table")
    assert.error_matches(function() far:policy { { nil, "drop", lable = "x" } } end,
      'rule 1: unknown key "lable" (it knows label and on_error)', 1, true)
    assert.error_matches(function() far:policy { { nil, "drop", [true] = 1 } } end, 'unknown key "true"', 1, true)
  end)

  it("lets a rule say what an error costs", function()
    local back_near <const>, back_far <const> = mt.pair("ip", "back near", "back far")
    local passed = 0
    back_far:on(nil, function()
      passed = passed + 1
      return "handled"
    end)
    far:pass_to(back_near)
    far:policy { { nil, function() error "oops" end, on_error = "pass" } }
    send()
    local give_up <const> = mt.now() + 10
    while passed == 0 and mt.now() < give_up do mt.sleep(0.001) end
    assert.same({ 1, 1, 1, 0 }, { passed, far.counters.script_errors, far.counters.passed, far.counters.dropped })
    far:policy { { nil, function() error "oops" end } }
    send()
    assert.same({ 2, 1 }, { far.counters.script_errors, far.counters.drops.script_error })
    back_near:close()
    back_far:close()
  end)

  it("may be replaced by a rule that it runs", function()
    far:policy { { nil, function()
      far:policy { { nil, "reply" } }
      return "drop"
    end } }
    send()
    assert.equal(0, got)
    send()
    assert.equal(1, got)
  end)

  it("knows no other default than drop and pass", function()
    assert.equal("drop", far.default)
    assert.has_error(function() far.default = "reply" end, 'port.default is "drop" or "pass", not reply')
    assert.has_error(function() far.default = nil end, 'port.default is "drop" or "pass", not nil')
    assert.has_error(function() far.mtu = 9 end, "port.mtu cannot be written (port.default can)")
    assert.equal("drop", far.default)
  end)
end)
