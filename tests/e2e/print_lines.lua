-- print_lines.lua DIRECTORY: compares tostring(pkt) with DIRECTORY/NAME.txt, which is what
-- tcpdump -# -n -S -t said of tests/captures/NAME.pcap. Ends with 1 where they differ unexplained.
local captures <const> = dofile((debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "captures.lua")

-- Where tostring says something else than tcpdump: patterns of both lines, and why. Each must be met by
-- some packet. None is about ARP, ICMP, ICMPv6 errors, echo and discovery, UDP, TCP, GRE, VXLAN or DNS.
local DIFFERENCES <const> = {
  { tcpdump = "ICMP6, router renumbering,", ours = "ICMP6, router renumbering, length", why = "RFC 2894 is not decoded" },
  { tcpdump = "who%-are%-you", ours = "unknown icmp6 type %(1[34][90]%)", why = "node information (RFC 4620) is not decoded" },
  { tcpdump = "mtrace response", ours = "unknown icmp6 type %(200%)", why = "tcpdump takes an experimental type for mtrace's" },
  { tcpdump = "igrp:", ours = "ip%-proto%-9 ", why = "IGRP is not decoded" },
  { tcpdump = "EIGRP", ours = "ip%-proto%-88 ", why = "EIGRP is not decoded" },
  { tcpdump = "OSPFv", ours = "ip%-proto%-89 ", why = "OSPF is not decoded" },
  { tcpdump = "PIMv", ours = "ip%-proto%-103 ", why = "PIM is not decoded" },
  { tcpdump = "VRRPv", ours = "ip%-proto%-112 ", why = "VRRP is not decoded" },
  { tcpdump = "GREv1, call", ours = "GREv1, length", why = "PPTP's version of GRE is not decoded" },
  { tcpdump = "^LLDP", ours = "ethertype Unknown %(0x88cc%)", why = "LLDP is not decoded" },
  { tcpdump = "^Loopback", ours = "ethertype Unknown %(0x9000%)", why = "Ethernet's loopback is not decoded" },
  { tcpdump = "options %[mptcp", ours = "options %[unknown%-30", why = "multipath TCP's option (RFC 8684) is shown as bytes" },
}

-- tcpdump's words about each packet, on one line as tostring is. Where tcpdump goes on on a new line: a hex
-- dump of what it does not know is left out, a VXLAN's inner frame stands behind a colon, an SCTP chunk's
-- blocks stand behind their chunk. Cooked packets' link and direction, which tcpdump puts first, are left out:
-- they are pkt.link and pkt.dir.
local function tcpdump(path)
  local said <const> = {}
  for line in io.lines(path) do
    local number <const>, text <const> = line:match "^ *(%d+)  (.*)$"
    if number then
      assert(tonumber(number) == #said + 1, path .. ": tcpdump left out a packet before " .. number)
      said[#said + 1] = text:gsub("^lo +%u%a* +", "")
    elseif not line:find "^\t0x%x%x%x%x: " then
      local block <const> = line:match "^\t\t(%[.*)$"
      said[#said] = said[#said] .. (block or ": " .. line)
    end
  end
  return said
end

local function explained(theirs, ours)
  for _, difference in ipairs(DIFFERENCES) do
    if theirs:find(difference.tcpdump) and ours:find(difference.ours) then
      difference.met = true
      return true
    end
  end
end

local failed = 0

local function complain(format, ...)
  print(format:format(...))
  failed = failed + 1
end

local total = 0
for _, capture in ipairs(captures.list()) do
  local said <const> = tcpdump(("%s/%s.txt"):format(..., capture.name))
  local count = 0
  for pkt in captures.packets(capture.path) do
    count = count + 1
    local ours <const>, theirs <const> = tostring(pkt), said[count] or "nothing"
    if ours ~= theirs and not explained(theirs, ours) then
      complain("%s, packet %d\n  tcpdump: %s\n  moontap: %s", capture.name, count, theirs, ours)
    end
  end
  if count ~= #said or count == 0 then
    complain("%s: tcpdump read %d packets, moontap %d", capture.name, #said, count)
  end
  total = total + count
end
for _, difference in ipairs(DIFFERENCES) do
  if not difference.met then
    complain("no packet needs the explanation that %s", difference.why)
  end
end
print(("%d packets, %d complaints"):format(total, failed))
os.exit(failed == 0 and 0 or 1)
