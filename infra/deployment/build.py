"""Builds the functions, all in one run of cargo-lambda: their dependencies are compiled once for all of them.

The alternative, `BuildMethod: rust-cargolambda`, lets SAM run cargo-lambda once for each function of the template.
"""

import io
import os
import platform
import re
import zipfile

from deployment import processes
from deployment.environment import ROOT, environment
from deployment.failure import Failure

TEMPLATE = ROOT / "infra/template.yaml"
# Where cargo-lambda puts `<binary>/bootstrap`, and where the template looks for it.
BUILT = ROOT / "target/lambda"

# A binary is read at each cold start, a package is unzipped: what is far above what we have today has a reason that
# somebody should know.
BINARY_LIMIT = 8_000_000
PACKAGE_LIMIT = 4_000_000

# cargo-lambda's option and the machine's own names for each architecture of Lambda.
ARCHITECTURES = {"x86_64": ("--x86-64", ["x86_64", "amd64"]), "arm64": ("--arm64", ["aarch64", "arm64"])}


def binaries():
    """The binaries that the template's functions are made of; each is the only one of the package of its name."""
    found = re.findall(r"^ +CodeUri: \.\./target/lambda/(\S+)$", TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE)
    return sorted(set(found))


def build(architecture):
    """Builds all binaries for an architecture and refuses those that are too large."""
    names = binaries()
    option, machines = ARCHITECTURES[architecture]
    command = ["cargo", "lambda", "build", "--release", "--locked", option, "--lambda-dir", BUILT]
    if platform.system() == "Linux" and platform.machine().lower() in machines:
        # Rust for this machine is there; without this, cargo-lambda asks rustup for it.
        command.append("--skip-target-check")
    for name in names:
        command += ["--package", name, "--bin", name]
    home = environment("cargo-lambda")
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    print(f"Building {', '.join(names)} for {architecture}", flush=True)
    try:
        status = processes.run(command, cwd=ROOT, env={**os.environ, "PATH": path})
    except FileNotFoundError as error:
        raise Failure("There is no cargo on the search path: install Rust.") from error
    if status != 0:
        raise Failure("The functions cannot be built; cargo-lambda says why above.")
    check_sizes(names, BUILT)


def check_sizes(names, folder):
    """Tells how large each binary and its package are, and fails if one is too large."""
    problems = []
    for name in names:
        binary = (folder / name / "bootstrap").read_bytes()
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bootstrap", binary)
        sizes = [("binary", len(binary), BINARY_LIMIT), ("package", package.tell(), PACKAGE_LIMIT)]
        print(f"{name}: {', '.join(f'{what} {size / 1e6:.1f} MB' for what, size, _ in sizes)}")
        problems += [
            f"The {what} of {name} has {size:,} bytes, {limit:,} are allowed."
            for what, size, limit in sizes
            if size > limit
        ]
    if problems:
        raise Failure(" ".join(problems))
