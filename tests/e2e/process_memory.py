"""Looks for values in the memory of running processes, as the kernel shows it (/proc/PID/mem), and
in what a core dump of them would hold. Linux; needs the right to look into processes (CAP_SYS_PTRACE),
which root outside of strict containers has."""

import os
from pathlib import Path

BLOCK = 1 << 22
# So large is nothing but what the address sanitizer notes about memory, a few bits for each byte of it.
SHADOW = 1 << 40


def children_of(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def regions(pid):
    """(start, end, goes into a core dump) of everything that can be read."""
    found = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first = line.split(" ", 1)[0]
        if "-" in first and not first.endswith(":"):
            start, end = (int(part, 16) for part in first.split("-"))
            found.append([start, end, True, line])
        elif first == "VmFlags:":
            found[-1][2] = " dd" not in line
    return [one[:3] for one in found if " r" in one[3] and "[vvar]" not in one[3]
            and "[vsyscall]" not in one[3] and one[1] - one[0] < SHADOW]


def memory(pid, dumped_only=False):
    """The bytes of a process, region by region; regions that vanish meanwhile are passed over."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, dumped in regions(pid):
            if dumped_only and not dumped:
                continue
            try:
                mem.seek(start)
                parts = []
                while start < end:
                    part = mem.read(min(BLOCK, end - start))
                    if not part:
                        break
                    parts.append(part)
                    start += len(part)
                yield b"".join(parts)
            except (OSError, ValueError, OverflowError):
                pass


def found_in(pid, values, dumped_only=False):
    """Names of the `values` ({name: bytes}) that are there."""
    found = set()
    for block in memory(pid, dumped_only):
        found |= {name for name, value in values.items() if value in block}
    return found


def can_look():
    """Whether this system lets us look into a process that keeps to itself, such as our own key
    process; a child that has switched dumps off stands for it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        import ctypes
        ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE
        os.write(writing, b"x")
        os.read(os.pipe()[0], 1)
    os.read(reading, 1)
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
            start, end, _ = regions(pid)[0]
            mem.seek(start)
            return bool(mem.read(min(16, end - start)))
    except OSError:
        return False
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(reading)
        os.close(writing)
