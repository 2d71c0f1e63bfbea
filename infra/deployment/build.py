"""Builds all functions in one run of cargo-lambda, so that cargo compiles the dependencies of the functions only once.

If the template used `BuildMethod: rust-cargolambda`, SAM would run cargo-lambda once for each function.
"""

import io
import os
import platform
import re
import shutil
import zipfile
from pathlib import Path

from tools.failure import Failure
from tools.output import say
from tools.install import ROOT, install
from tools.supervise import run

TEMPLATE = ROOT / "infra/template.yaml"
PACKAGES = Path(__file__).resolve().parent / "cargo-lambda.txt"
# cargo-lambda writes `<binary>/bootstrap` into this folder. `CodeUri` in the template names the folder `<binary>`.
BUILT = ROOT / "target/lambda"

# The maximum sizes of a binary and of its zipped package, in bytes. The build fails if a file is larger, because a
# larger file is probably a mistake, and slows down cold starts.
BINARY_LIMIT = 8_000_000
PACKAGE_LIMIT = 4_000_000

# For each architecture: the option of cargo-lambda, and the names that operating systems give to the architecture.
ARCHITECTURES = {"x86_64": ("--x86-64", ["x86_64", "amd64"]), "arm64": ("--arm64", ["aarch64", "arm64"])}


def binaries():
    """Returns the names of the template's binaries. Each binary has the name of its package."""
    found = re.findall(r"^ +CodeUri: \.\./target/lambda/(\S+)$", TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE)
    return sorted(set(found))


def build(architecture):
    """Builds all binaries for an architecture. Fails if a binary or its package is too large."""
    names = binaries()
    say(f"Building {', '.join(names)} for {architecture}")
    options = [option for name in names for option in ("--package", name, "--bin", name)]
    cargo_lambda(architecture, ["--lambda-dir", BUILT, *options], cwd=ROOT, env=os.environ)
    check_sizes(names, BUILT)


def cargo_lambda(architecture, options, cwd, env):
    """Runs `cargo lambda build` with the pinned cargo-lambda."""
    option, machines = ARCHITECTURES[architecture]
    command = ["cargo", "lambda", "build", "--release", "--locked", option, *options]
    if platform.system() == "Linux" and platform.machine().lower() in machines:
        # The build is for this machine, so Rust has the target. Without this option, cargo-lambda would run rustup to
        # check for the target.
        command.append("--skip-target-check")
    if shutil.which("cargo") is None:
        raise Failure("cargo is missing: install Rust.")
    path = f"{install(PACKAGES) / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    if run(command, cwd=cwd, env={**env, "PATH": path}) != 0:
        raise Failure("The build failed; the reason is above.")


def check_sizes(names, folder):
    """Prints the sizes of each binary and of its package. Fails if a size is above its limit."""
    problems = []
    for name in names:
        binary = (folder / name / "bootstrap").read_bytes()
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bootstrap", binary)
        sizes = [("binary", len(binary), BINARY_LIMIT), ("package", package.tell(), PACKAGE_LIMIT)]
        say(f"{name}: {', '.join(f'{kind} {size / 1e6:.1f} MB' for kind, size, _ in sizes)}")
        problems += [
            f"The {kind} of {name} has {size:,} bytes; at most {limit:,} are allowed."
            for kind, size, limit in sizes
            if size > limit
        ]
    if problems:
        raise Failure(" ".join(problems))
