#!/usr/bin/env python3
"""Builds the Rust functions that ours are measured against, by the cargo-lambda that builds ours, with its own settings.

    python build.py FOLDER

FOLDER becomes cargo's target folder; the programs are in FOLDER/lambda then.
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "infra"))

from deployment import processes  # noqa: E402
from deployment.environment import environment  # noqa: E402
from deployment.failure import Failure  # noqa: E402


def build(target):
    """Builds all binaries of the workspace; what is fresh is left as it is."""
    binaries = environment("cargo-lambda") / "bin"
    variables = {
        **os.environ,
        "CARGO_TARGET_DIR": str(target),
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    # Rust for this machine is there; without the last option, cargo-lambda asks rustup for it.
    command = ["cargo", "lambda", "build", "--release", "--locked", "--x86-64", "--skip-target-check"]
    command += ["--lambda-dir", target / "lambda"]
    if processes.run(command, cwd=HERE / "rust-defaults", env=variables) != 0:
        raise Failure("The Rust baseline cannot be built; cargo-lambda says why above.")


processes.interruptible()
try:
    build(Path(sys.argv[1]).resolve())
except (Failure, KeyboardInterrupt) as stopped:
    sys.exit(str(stopped) or "Interrupted.")
