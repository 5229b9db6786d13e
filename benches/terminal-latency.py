#!/usr/bin/env python3
"""Drives the terminal interface on a large capture and measures what its user waits for.

    cargo build --release
    cargo run --release --example large_capture -- big.pcap
    benches/terminal-latency.py target/release/ghostshark big.pcap [analysis-peak-MiB]

Prints the time to the first screen and to the first rows, the slowest and the median answer to a key while the
capture is loading and after it, the time of a jump to the last packet, and the peak memory. With the peak of the
analysis alone (`examples/cost_of_stages sessions` under `time -v`) it tells what the interface takes a packet.
Only what the terminal receives counts: a key is answered when bytes arrive after it. Needs Linux and python3.
"""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time

ROWS, COLUMNS = 40, 120
# A key is given this long before it counts as unanswered.
PATIENCE_S = 2.0


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, arguments):
        self.begun = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", XDG_STATE_HOME="/nonexistent")
            os.execv(arguments[0], arguments)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.seen = b""

    def read(self, seconds):
        """What arrives within this time; returns at the first bytes."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            data = b""
        self.seen += data
        return data

    def drain(self, quiet=0.0):
        """Until nothing comes; what is drawn all the time (a clock of progress) does not keep us."""
        end = time.monotonic() + 1.0
        while self.read(quiet) and time.monotonic() < end:
            pass

    def until(self, pattern, seconds):
        """Seconds since the start until the terminal has been sent this; None if it never was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, plain(self.seen)):
                return time.monotonic() - self.begun
            self.read(0.01)
        return None

    def key(self, keys):
        """Seconds until the terminal receives anything after these keys."""
        self.drain()
        self.seen = b""
        sent = time.monotonic()
        os.write(self.fd, keys)
        while time.monotonic() - sent < PATIENCE_S:
            if self.read(PATIENCE_S):
                return time.monotonic() - sent
        return PATIENCE_S

    def peak_kib(self):
        with open(f"/proc/{self.pid}/status") as status:
            peak = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), None)
        if peak is None:
            sys.exit(f"the program ended: {plain(self.seen)[-2000:].decode(errors='replace')}")
        return peak

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


def plain(data):
    """Text without control sequences, so that words can be found."""
    return re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b" ", data)


def told(name, seconds):
    print(f"{name:34} " + ("never" if seconds is None else f"{seconds * 1000:8.1f} ms"))


def answers(name, times):
    if times:
        print(f"{name:34} {max(times) * 1000:8.1f} ms slowest, {statistics.median(times) * 1000:.1f} ms median, {len(times)} keys")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    binary, capture = sys.argv[1:3]
    terminal = Terminal([os.path.abspath(binary), "--fresh", capture])
    told("first screen", terminal.until(rb"ghostshark", 30))
    told("first rows", terminal.until(rb"[1-9][0-9,]* sessions", 60))
    # While it loads: from screen to screen, and letters into the filter box and out of it.
    keys = [b"2", b"j", b"3", b"1", b"4", b"G", b"2", b"j", b"1", b"/", b"t", b"c", b"\x15", b"\x1b"]
    loading, place, deadline = [], 0, time.monotonic() + 300
    loaded = None
    while loaded is None and time.monotonic() < deadline:
        loading.append(terminal.key(keys[place % len(keys)]))
        place += 1
        time.sleep(0.12)
        terminal.drain()
        if place % len(keys) == 0:
            terminal.key(b"1")
            time.sleep(0.1)
            terminal.drain()
            terminal.key(b"\x0c")
            time.sleep(0.2)
            terminal.drain()
            if not re.search(rb"read +\d+ *%|\bleft\b", plain(terminal.seen)):
                loaded = time.monotonic() - terminal.begun
    told("loaded", loaded)
    answers("answers while loading", loading)
    # Afterwards: the last packet, and a walk through each screen with its last row.
    terminal.key(b"4")
    time.sleep(0.3)
    terminal.drain(0.05)
    told("jump to the last packet", terminal.key(b"G"))
    time.sleep(0.3)
    walked = []
    for steps in (b"4kkkk", b"2GkkL]]]][[", b"3jjkk", b"5", b"6jj", b"2f", b"\x1b", b"1jj"):
        for step in steps:
            walked.append(terminal.key(bytes([step])))
            time.sleep(0.08)
    answers("answers afterwards", walked)
    peak = terminal.peak_kib()
    print(f"{'peak memory':34} {peak / 1024:8.1f} MiB")
    if len(sys.argv) == 4:
        print(f"{'above the analysis':34} {peak / 1024 - float(sys.argv[3]):8.1f} MiB")
    terminal.end()


main()
