-- Checks this machine for what moontap needs.
local mt <const> = require "moontap"
local ask <const> = require "moontap.doctor.ask"

local function first_line(path)
  local file <close> = io.open(path)
  return file and file:read "l"
end

-- What the keeper may do, who alone holds capabilities; without one (a stock Lua), we ourselves.
local function capabilities()
  local own <const> = first_line "/proc/self/stat":match "^%d+"
  local name <const>, pid = first_line "/proc/self/comm", own
  for child in (first_line(("/proc/%s/task/%s/children"):format(own, own)) or ""):gmatch "%d+" do
    local comm <const> = first_line("/proc/" .. child .. "/comm")
    -- until it has named itself it is called as we are
    if comm == "moontap-keeper" or comm == name then pid = child end
  end
  local caps = 0
  for line in io.lines("/proc/" .. pid .. "/status") do
    caps = tonumber(line:match "^CapEff:%s*(%x+)" or "", 16) or caps
  end
  return caps
end

local function check_node(report)
  local node <const>, why <const>, errno <const> = io.open("/dev/net/tun", "r+")
  if node then
    node:close()
    report:ok("/dev/net/tun can be opened")
  elseif errno == 13 then
    report:wrong("/dev/net/tun is not open to you", "sudo chmod 0666 /dev/net/tun")
  else
    report:wrong("/dev/net/tun cannot be opened: " .. tostring(why):gsub("^.*: ", ""),
      "sudo modprobe tun")
  end
end

local function check_user_namespaces(report)
  local has_user <const> = io.open "/proc/self/ns/user"
  if has_user then has_user:close() end
  local max <const> = tonumber(first_line "/proc/sys/user/max_user_namespaces")
  if not has_user or max == 0 then
    report:wrong("user namespaces are not allowed here (--sandbox needs them)",
      "sudo sysctl -w user.max_user_namespaces=10000")
  elseif first_line "/proc/sys/kernel/apparmor_restrict_unprivileged_userns" == "1" then
    report:note("AppArmor restricts user namespaces (--sandbox needs them)",
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
  else
    report:ok("user namespaces are allowed: --sandbox works without root")
  end
end

local function check_ping_group(report)
  local range <const> = mt.sysctl.get "net.ipv4.ping_group_range" or ""
  local low <const>, high <const> = range:match "(%d+)%s+(%d+)"
  if low and tonumber(low) > tonumber(high) then
    report:note("ping_group_range is empty: ping needs root or a file capability",
      'sudo sysctl -w net.ipv4.ping_group_range="0 2147483647"')
  end
end

return function(report)
  check_node(report)
  check_user_namespaces(report)
  check_ping_group(report)
  if capabilities() & (1 << 12) ~= 0 then
    report:ok("CAP_NET_ADMIN is held: devices can be made without --sandbox")
  else
    report:note("CAP_NET_ADMIN is not held: run as root, or with --sandbox")
  end
  report:ok("kernel " .. (first_line "/proc/sys/kernel/osrelease" or "?"))
  for program, package in pairs { ping = "iputils-ping", tcpdump = "tcpdump" } do
    if ask.has(program) then
      report:ok(program .. " is installed")
    else
      report:note(program .. " is not installed", "sudo apt install " .. package)
    end
  end
end
