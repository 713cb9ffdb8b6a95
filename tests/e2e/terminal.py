"""terminal.py COMMAND...: runs it in a terminal of 80 columns. Each line of standard input is KEYS => TEXT:
the keys (Python's escapes) are typed, and TEXT must be written within 20 seconds. At last Ctrl-U and Ctrl-D
end it."""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

BOUND = 20
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x07")


def read(fd, seconds):
    if not select.select([fd], [], [], seconds)[0]:
        return ""
    try:
        return os.read(fd, 65536).decode(errors="replace")
    except OSError:  # the other end is closed
        return None


def wait_for(fd, wanted, seen=""):
    """What came after `wanted`; seen: what has come already."""
    end = time.monotonic() + BOUND
    while wanted not in seen:
        more = read(fd, max(0, end - time.monotonic()))
        if more is None or time.monotonic() > end:
            sys.exit(f"no {wanted!r} in {seen!r}")
        seen = CONTROLS.sub("", seen + more)  # one may come in two pieces
        print(more, end="")
    return seen.partition(wanted)[2]


pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
rest = wait_for(fd, "> ")
for line in sys.stdin:
    keys, text = line.rstrip("\n").split(" => ")
    os.write(fd, keys.encode().decode("unicode_escape").encode())
    rest = wait_for(fd, text, "" if keys else rest)
# The line editor shows its prompt first and takes the terminal over then: Ctrl-D between the two is the
# kernel's, and lost.
end = time.monotonic() + BOUND
while True:
    os.write(fd, b"\x15\x04")
    pause = time.monotonic() + 1
    while (more := read(fd, max(0, pause - time.monotonic()))):
        pass
    if more is None:
        break
    if time.monotonic() > end:
        sys.exit("Ctrl-D does not end it")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
