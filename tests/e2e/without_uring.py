"""without_uring.py ERRNO COMMAND...: runs it where io_uring_setup(2) is refused with ERRNO; without
COMMAND says whether this machine has what is needed of io_uring (0) or not (1)."""
import ctypes
import os
import struct
import sys

IO_URING_SETUP = 425  # on every architecture
SINGLE_ISSUER, DEFER_TASKRUN = 1 << 12, 1 << 13
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

libc = ctypes.CDLL(None, use_errno=True)

if len(sys.argv) < 3:
    params = (ctypes.c_uint32 * 30)()
    params[2] = SINGLE_ISSUER | DEFER_TASKRUN
    sys.exit(libc.syscall(IO_URING_SETUP, 8, params) < 0)

program = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x20, 0, 0, 0),  # the system call's number
        (0x15, 0, 1, IO_URING_SETUP),
        (0x06, 0, 0, ERRNO | int(sys.argv[1])),
        (0x06, 0, 0, ALLOW),
    )
)
code = ctypes.create_string_buffer(program, len(program))
filters = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
    PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filters, 0, 0
):
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[2], sys.argv[2:])
