"""The pinned Python packages: each list of them is installed once, into a folder of its own in `.tools`."""

import contextlib
import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from deployment import processes
from deployment.failure import Failure

ROOT = Path(__file__).resolve().parents[2]
LISTS = Path(__file__).resolve().parent


def environment(name):
    """The folder of the environment with the packages of `<name>.txt`, made if it is not there yet."""
    packages = LISTS / f"{name}.txt"
    # Another folder as soon as the packages or this Python are others.
    identity = packages.read_bytes() + sys.base_prefix.encode() + sys.version.encode()
    tools = ROOT / ".tools"
    tools.mkdir(exist_ok=True)
    home = tools / f"{name}-{hashlib.sha256(identity).hexdigest()[:12]}"
    # Written last, so that a half-made folder is never used.
    complete = home / "complete"
    if not complete.exists():
        with _locked(home.with_suffix(".lock")):
            if not complete.exists():
                _install(home, packages)
                complete.touch()
    return home


@contextlib.contextmanager
def _locked(path):
    """Processes that start at the same time wait for the one that installs."""
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(home, packages):
    print(f"Installing the packages of {packages.relative_to(ROOT)}; this happens once", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    if processes.run([sys.executable, "-I", "-m", "venv", home]) != 0:
        raise Failure("No virtual environment can be made: install Python's venv module (on Debian: python3-venv).")
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    # The list is complete, so pip need not find out what depends on what.
    options += ["--no-deps", "--require-hashes", "--requirement"]
    if processes.run([home / "bin/python", "-I", "-m", "pip", "install", *options, packages]) != 0:
        raise Failure("The packages cannot be installed; pip says why above.")
