#!/usr/bin/env python3
"""Installs packages into a folder in `.tools`, unless they are installed, and prints the path of the folder.

    python3 install.py PINS

The file PINS names the packages and their versions. It is a requirements file with hashes, or a package-lock.json. pip
installs the packages of a requirements file into a virtual environment, and `npm ci` installs those of a
package-lock.json. The script needs Python 3.10 or newer.
"""

import contextlib
import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

# The package `tools` is in the folder `infra`, which is not on the path if this file is the script.
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.failure import Failure  # noqa: E402
from tools.supervise import interruptible, run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"


def install(pins):
    """Returns the folder with the packages that a file pins. Installs them if they are missing."""
    pins = Path(pins).resolve()
    if sys.version_info < (3, 10):
        raise Failure("Python 3.10 or newer is needed.")
    # If the pinned packages or the version of Python change, the folder has another name.
    identity = hashlib.sha256(pins.read_bytes() + sys.base_prefix.encode() + sys.version.encode()).hexdigest()
    folder = TOOLS / f"{pins.parent.name.strip('.')}-{pins.stem}-{identity[:12]}"
    # This file is written last. Without it, the installation is incomplete.
    complete = folder / "complete"
    if complete.exists():
        return folder
    TOOLS.mkdir(exist_ok=True)
    with _locked(folder.with_suffix(".log")) as log:
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            print(f"Installing the packages of {_shown(pins)}; this happens once", file=sys.stderr, flush=True)
            make = _node_modules if pins.name == "package-lock.json" else _virtual_environment
            make(folder, pins, log)
            complete.touch()
    return folder


@contextlib.contextmanager
def _locked(path):
    """Opens, locks and empties a log. Waits while another process installs the same packages and has the lock."""
    with open(path, "a", encoding="utf-8") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another process, which installs the same packages", file=sys.stderr, flush=True)
            fcntl.flock(log, fcntl.LOCK_EX)
        log.truncate(0)
        yield log


def _virtual_environment(folder, pins, log):
    if run([sys.executable, "-I", "-m", "venv", folder], stdout=log, stderr=log) != 0:
        raise Failure(
            f"{sys.executable} cannot create a virtual environment: install its venv module (Debian: python3-venv)."
        )
    # The file also pins the dependencies, so pip need not resolve them.
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    pip = [folder / "bin/python", "-I", "-m", "pip", "install", *options, "--requirement", pins]
    _check(run(pip, stdout=log, stderr=log), pins, log)


def _node_modules(folder, pins, log):
    npm = shutil.which("npm")
    if npm is None:
        raise Failure("npm is missing: install Node.js 20 or newer.")
    folder.mkdir()
    for name in ("package.json", pins.name):
        shutil.copy(pins.with_name(name), folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _check(run(command, cwd=folder, stdout=log, stderr=log), pins, log)


def _check(status, pins, log):
    if status != 0:
        lines = Path(log.name).read_text(encoding="utf-8", errors="replace").split("\n")
        reason = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        raise Failure(f"The packages of {_shown(pins)} cannot be installed: {reason}; the log is {log.name}.")


def _shown(path):
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main():
    """Runs the command line."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    interruptible()
    try:
        print(install(sys.argv[1]))
    except (Failure, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")


if __name__ == "__main__":
    main()
