"""Runs a program, and stops the program when the process that started this script ends.

    python3 supervise.py -- PROGRAM ARGS...

This script reads a pipe from its parent process. The kernel closes the pipe when the parent ends, even by SIGKILL. Then
the script sends SIGTERM to the program and to the processes of its group, and waits until the program ends, at most for
the grace time. After that, it sends SIGKILL to the remaining processes that the program has started. The script exits
with the exit status of the program.

Python programs call `run`. Rust programs use the crate `tools`.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

# The grace time: the maximum time from SIGTERM to SIGKILL. MiniStack needs 2.5 s to stop.
GRACE_SECONDS = 6
# The script repeats SIGKILL for at most this time. Then it exits, even if a process still runs.
KILL_SECONDS = 5
PAUSE_SECONDS = 0.02
# The exit status of this script if the program cannot be started. A shell uses the same status.
NOT_STARTED = 127

PR_SET_CHILD_SUBREAPER = 36


def run(command, **options):
    """Runs a program to its end and returns its exit status. If an exception interrupts the wait, stops the program."""
    supervised = [sys.executable, "-I", __file__, "--", *command]
    # Ctrl-C sends no signal to a program in a session of its own. Only this process gets the signal, and then stops the
    # program.
    process = subprocess.Popen(supervised, stdin=subprocess.PIPE, start_new_session=True, **options)
    try:
        return process.wait()
    finally:
        process.stdin.close()
        process.wait()


def interruptible():
    """Makes SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(*_):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


class Program:
    """A running program, with all processes that it started."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = self.process.pid
        self.status = None

    def reap(self):
        """Reads the exit status of each child process that has ended. Returns True if no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.pid:
                self.status = os.waitstatus_to_exitcode(status)

    def stop(self):
        """Stops the program, and then every process that it started and that still runs."""
        send(os.killpg, self.pid, signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        # When the program ends, the grace time also ends, and the other processes are killed immediately.
        while not self.reap() and self.status is None and time.monotonic() < end:
            time.sleep(PAUSE_SECONDS)
        end = time.monotonic() + KILL_SECONDS
        while not self._is_gone() and time.monotonic() < end:
            send(os.killpg, self.pid, signal.SIGKILL)
            for pid in descendants():
                send(os.kill, pid, signal.SIGKILL)
            time.sleep(PAUSE_SECONDS)

    def _is_gone(self):
        return self.reap() and not send(os.killpg, self.pid, 0)


def send(function, pid, number):
    """Sends a signal to a process or a group. Returns False if the process or the group has ended."""
    try:
        function(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS raises PermissionError for a group of zombies.
        return False
    return True


def adopt_orphans():
    """On Linux, makes this process the parent of orphaned descendants.

    `descendants` then finds a process of another process group, even if its parent has ended.
    """
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def descendants():
    """Returns the ids of all processes below this process. Without /proc, returns no id."""
    try:
        entries = os.listdir("/proc")
    except OSError:
        return []
    children = {}
    for entry in filter(str.isdigit, entries):
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The fields are: id, name in brackets, state, id of the parent. The name can contain any character.
                parent = int(file.read().rsplit(b")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry))
    found, queue = [], [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def main():
    """Runs the program of the command line."""
    command = sys.argv[sys.argv.index("--") + 1 :]
    adopt_orphans()

    # Most handlers do nothing: a signal only has to wake the `select` below. SIG_IGN would not wake it, and the program
    # would inherit SIG_IGN.
    is_stopped = []
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: is_stopped.append(True))

    try:
        program = Program(command)
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_STARTED)

    while True:
        program.reap()
        if program.status is not None or is_stopped:
            break
        ready, _, _ = select.select([0, reader], [], [])
        if reader in ready:
            os.read(reader, 4096)
        if 0 in ready and not os.read(0, 4096):
            break
    program.stop()
    status = 1 if program.status is None else program.status
    sys.exit(128 - status if status < 0 else status)


if __name__ == "__main__":
    main()
