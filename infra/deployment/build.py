"""Builds the functions in one run of cargo-lambda, so that their dependencies are compiled once.

The alternative, `BuildMethod: rust-cargolambda`, makes SAM run cargo-lambda once per function of the template.
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
# cargo-lambda writes `<binary>/bootstrap` into this folder, and the template names the folders `<binary>`.
BUILT = ROOT / "target/lambda"

# Bytes. A cold start unzips the package and reads the binary. The limits are above the sizes of all functions, so a
# larger file is probably a mistake.
BINARY_LIMIT = 8_000_000
PACKAGE_LIMIT = 4_000_000

# For each architecture of Lambda: cargo-lambda's option, and the names that operating systems use.
ARCHITECTURES = {"x86_64": ("--x86-64", ["x86_64", "amd64"]), "arm64": ("--arm64", ["aarch64", "arm64"])}


def binaries():
    """Returns the binaries of the template's functions. A binary is the only binary of the package with its name."""
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
        # The installed Rust has this target. Without the option, cargo-lambda runs rustup to check the target.
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
