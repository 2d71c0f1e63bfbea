"""Runs a program that must not outlive the process that started this script.

    python supervise.py -- PROGRAM ARGS...

The parent holds the other end of our standard input. The kernel closes it however the parent ends, SIGKILL included,
and then the program is stopped with everything it has started: first politely, then by force. The exit status is the
program's own.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

# How long the program may take to end after SIGTERM; MiniStack needs 2.5 s.
GRACE = 6.0
# How long we try to kill what is left.
LAST_TRY = 5.0

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """On Linux a grandchild whose parent ends becomes our child, so that none gets away by leaving the group."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def descendants():
    """All living processes below us, or nothing where there is no /proc."""
    children = {}
    try:
        entries = os.listdir("/proc")
    except OSError:
        return []
    for entry in filter(str.isdigit, entries):
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
        except (OSError, IndexError):
            continue
        children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = [], [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def send(function, pid, number):
    """Sends a signal to a process or group that may be gone already."""
    try:
        function(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


class Program:
    """The program, its process group and what is left of it."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = self.process.pid
        self.status = None

    def reap(self):
        """Collects everyone who has ended; True when we have no child any more."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.pid:
                self.status = os.waitstatus_to_exitcode(status)

    def group_is_gone(self):
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # macOS says so of a group of zombies
            return True
        return False

    def all_gone(self):
        return self.reap() and self.group_is_gone()

    def stop(self):
        send(os.killpg, self.pid, signal.SIGTERM)
        end = time.monotonic() + GRACE
        while time.monotonic() < end:
            if self.all_gone():
                return
            # Once the program itself is gone, nobody tells those it left behind to end.
            if self.status is not None:
                break
            time.sleep(0.02)
        end = time.monotonic() + LAST_TRY
        while time.monotonic() < end:
            send(os.killpg, self.pid, signal.SIGKILL)
            for pid in descendants():
                send(os.kill, pid, signal.SIGKILL)
            if self.all_gone():
                return
            time.sleep(0.02)


def main():
    command = sys.argv[sys.argv.index("--") + 1 :]
    adopt_orphans()

    # Handlers, not SIG_IGN: an ignored signal would stay ignored in the program. The pipe wakes the select below.
    stop_asked = []
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: stop_asked.append(True))

    try:
        program = Program(command)
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        sys.exit(127)

    while True:
        program.reap()
        if program.status is not None or stop_asked:
            break
        ready, _, _ = select.select([0, reader], [], [])
        if reader in ready:
            os.read(reader, 4096)
        if 0 in ready and not os.read(0, 4096):
            break
    program.stop()
    status = program.status if program.status is not None else 1
    sys.exit(128 - status if status < 0 else status)


main()
