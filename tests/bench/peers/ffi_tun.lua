-- Answers echo requests on tun0 with LuaJIT and its FFI, by hand.
local ffi = require "ffi"

ffi.cdef [[
int open(const char *path, int flags);
int ioctl(int fd, unsigned long request, void *arg);
long read(int fd, void *bytes, size_t len);
long write(int fd, const void *bytes, size_t len);
]]
local fd = ffi.C.open("/dev/net/tun", 2)
local request = ffi.new("uint8_t[40]", "tun0")
request[16], request[17] = 0x01, 0x10 -- IFF_TUN | IFF_NO_PI
assert(ffi.C.ioctl(fd, 0x400454ca, request) == 0)

local p = ffi.new "uint8_t[65536]"
while true do
  local n = tonumber(ffi.C.read(fd, p, 65536))
  if n >= 28 and p[0] == 0x45 and p[9] == 1 and p[20] == 8 then
    for i = 12, 15 do p[i], p[i + 4] = p[i + 4], p[i] end
    p[20] = 0
    local sum = p[22] * 256 + p[23] + 0x800
    sum = sum % 65536 + (sum >= 65536 and 1 or 0)
    p[22], p[23] = math.floor(sum / 256), sum % 256
    ffi.C.write(fd, p, n)
  end
end
