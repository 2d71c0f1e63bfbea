"""Programs that this one runs. None outlives it: whatever interrupts us, they and all they have started end first."""

import os
import signal
import subprocess

# How long a program may take to end once it was told to.
GRACE_SECONDS = 10


def run(command, **options):
    """Runs a program to its end and gives its exit status."""
    # A session of its own, so that everything the program starts can be told to end with it.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            _stop(process)


def interruptible():
    """Lets every signal that asks us to end interrupt us as Ctrl-C does."""

    def interrupt(*_):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _stop(process):
    """Ends the program, and then whatever of its group is left, also if the program itself ends as told."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
        pass
