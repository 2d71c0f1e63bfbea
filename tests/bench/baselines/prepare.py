#!/usr/bin/env python3
"""Builds our functions and the baselines, which are other implementations of the same functions.

    python3 prepare.py [--no-build] ANSWER

Writes the JSON file ANSWER. A target is our functions or one baseline. For each target, the file has the commands and
sizes of the functions, or the reason why the target is missing. `infra/deploy.py` builds our functions. Pinned packages
are installed into `.tools`.
"""

import io
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "infra"))

from deployment.build import BUILT, build, cargo_lambda  # noqa: E402
from tools.failure import Failure  # noqa: E402
from tools.install import install  # noqa: E402
from tools.supervise import interruptible, run  # noqa: E402

FUNCTIONS = ("callback", "checkout", "refund")
BASELINES = ROOT / "target/bench"


def must_run(command, **options):
    """Runs a program, which must succeed."""
    if run(command, **options) != 0:
        raise Failure(f"{Path(command[0]).name} failed; the reason is above.")


def sizes(folder):
    """Returns the size of a folder's files and of their deployment package, in bytes."""
    size, package = 0, io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                size += path.stat().st_size
                archive.write(path, path.relative_to(folder))
    return size, package.tell()


def function(program, arguments, folder, handler="bootstrap"):
    """Returns the command and the sizes of a function."""
    if not Path(program).exists():
        raise Failure(f"{os.path.relpath(program, ROOT)} was not built.")
    size, package = sizes(folder)
    return {
        "program": str(program),
        "arguments": [str(argument) for argument in arguments],
        "folder": str(folder),
        "handler": handler,
        "bytes": size,
        "zip_bytes": package,
    }


def binaries(folder):
    """Returns the functions that cargo-lambda built into a folder."""
    return {name: function(folder / name / "bootstrap", [], folder / name) for name in FUNCTIONS}


def ours(is_built):
    """Builds our functions for deployment."""
    if not is_built:
        build("x86_64")
    return binaries(BUILT)


def rust_defaults(is_built):
    """Builds the Rust baseline with default settings, with the same cargo-lambda as our functions."""
    folder = BASELINES / "rust-defaults"
    if not is_built:
        variables = {**os.environ, "CARGO_TARGET_DIR": str(folder)}
        cargo_lambda("x86_64", ["--lambda-dir", folder / "lambda"], cwd=HERE / "rust-defaults", env=variables)
    return binaries(folder / "lambda")


def python(_is_built):
    """Builds the callback function in Python, for AWS's runtime for Python."""
    packages = install(HERE / "python/requirements.txt")
    (site_packages,) = packages.glob("lib/python*/site-packages")
    code = empty("python")
    # Each virtual environment has these packages, but the function needs none of them.
    own = shutil.ignore_patterns("pip", "pip-*", "setuptools*", "pkg_resources", "_distutils_hack", "distutils-*")
    shutil.copytree(site_packages, code, ignore=own, dirs_exist_ok=True)
    shutil.copy(HERE / "python/callback.py", code)
    # The package is compiled now, so that a cold start compiles nothing.
    must_run([packages / "bin/python", "-I", "-m", "compileall", "-q", code])
    # The program is the interpreter itself, because the wrapper of a version manager would take time.
    interpreter = Path(sys.executable).resolve()
    return {"callback": function(interpreter, ["-m", "awslambdaric", "callback.handler"], code, "callback.handler")}


def node(_is_built):
    """Builds the callback function in JavaScript, as a bundle."""
    program = shutil.which("node")
    if program is None:
        raise Failure("node is missing: install Node.js 20 or newer.")
    packages = install(HERE / "node/package-lock.json")
    bundle = empty("node") / "bundle.cjs"
    options = ["--bundle", "--minify", "--platform=node", "--target=node20", "--format=cjs", f"--outfile={bundle}"]
    variables = {**os.environ, "NODE_PATH": str(packages / "node_modules")}
    esbuild = packages / "node_modules/.bin/esbuild"
    must_run([esbuild, HERE / "node/runtime.mjs", "--log-level=warning", *options], env=variables)
    return {"callback": function(Path(program).resolve(), [bundle], bundle.parent, "callback.handler")}


def empty(name):
    """Returns an empty folder for a baseline."""
    folder = BASELINES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


TARGETS = {"ours": ours, "rust-defaults": rust_defaults, "node": node, "python": python}


def main():
    answer = {}
    for name, prepare in TARGETS.items():
        try:
            answer[name] = {"functions": prepare("--no-build" in sys.argv)}
        except Failure as failure:
            if name == "ours":
                raise
            print(f"{name} is left out: {failure}", flush=True)
            answer[name] = {"missing": str(failure)}
    Path(sys.argv[-1]).write_text(json.dumps(answer, indent=1), encoding="utf-8")


interruptible()
try:
    main()
except (Failure, KeyboardInterrupt) as stopped:
    sys.exit(str(stopped) or "Interrupted.")
