-- Looking on: what mt.sniff shows of the packets on links.
local mt <const> = require "moontap"

local function quiet() end

describe("a sniff", function()
  it("takes a match that has a meaning for frames alone", function()
    assert(mt.veth({ name = "sv0", addr = "10.9.2.1/24" }, { name = "sv1" }))
    local sniff <const> = assert(mt.sniff { links = { "sv0", "sv1" }, match = "arp" })
    -- What is sent before the kernel has noted the carrier is lost: it asks again a second later.
    local ping <const> = mt.spawn { "ping", "-c1", "-w10", "10.9.2.2", on_line = quiet }
    local give_up <const> = mt.now() + 10
    local function arrived()
      for i, pkt in ipairs(sniff.packets) do
        if pkt.link == "sv1" then return i end
      end
    end
    while not arrived() and mt.now() < give_up do mt.sleep(0.01) end
    ping:kill()
    ping:wait()
    local at <const>, packets <const> = arrived(), sniff:stop().packets
    mt.link.del "sv0"
    assert.is_true(at and at > 1, "no question has arrived")
    for _, pkt in ipairs(packets) do assert.is_truthy(pkt.arp) end
    assert.equal("sv0 out sv1 in", ("%s %s %s %s"):format(
      packets[at - 1].link, packets[at - 1].dir, packets[at].link, packets[at].dir))
  end)

  it("refuses a match that has none at all", function()
    local _, message = pcall(mt.sniff, { links = { "lo" }, match = "icpm" })
    assert.matches("unknown word \"icpm\"", message)
  end)
end)
