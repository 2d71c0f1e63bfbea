#!/usr/bin/env python3
"""Builds what is measured, and what it is measured against, and tells where it lies and how large it is.

    python prepare.py [--no-build] ANSWER

The answer is written to a file, as JSON: for each target its functions, or why it is left out. Ours are those that
`infra/deploy.py` builds. The packages of the Node and the Python function are pinned and installed into `.tools`.
"""

import hashlib
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

from deployment import processes  # noqa: E402
from deployment.environment import environment  # noqa: E402
from deployment.failure import Failure  # noqa: E402

FUNCTIONS = ("callback", "checkout", "refund")
OURS = ROOT / "target/lambda"
DEFAULTS = ROOT / "target/bench/rust-defaults"
OLDEST_NODE = 20


def run(command, **options):
    """Runs a program that must succeed."""
    if processes.run(command, **options) != 0:
        raise Failure(f"{Path(command[0]).name} has failed; it says why above.")


def zipped(folder):
    """The bytes of a folder's files, and of the package that is made of them."""
    size, package = 0, io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                size += path.stat().st_size
                archive.write(path, path.relative_to(folder))
    return size, package.tell()


def function(program, arguments, folder, handler="bootstrap"):
    """How a function is started, and its sizes."""
    if not Path(program).exists():
        raise Failure(f"{os.path.relpath(program, ROOT)} was not built.")
    size, package = zipped(folder)
    return {
        "program": str(program),
        "arguments": [str(argument) for argument in arguments],
        "folder": str(folder),
        "handler": handler,
        "bytes": size,
        "zip_bytes": package,
    }


def binaries(folder):
    """Programs that cargo-lambda has built."""
    return {name: function(folder / name / "bootstrap", [], folder / name) for name in FUNCTIONS}


def ours(build):
    """The functions as they are deployed."""
    if build:
        run([sys.executable, ROOT / "infra/deploy.py", "build"])
    return binaries(OURS)


def rust_defaults(build):
    """The same in Rust with everything as it comes, by the cargo-lambda that builds ours, with its own settings."""
    if build:
        tools = environment("cargo-lambda") / "bin"
        path = f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"
        # Rust for this machine is there; without the option, cargo-lambda asks rustup for it.
        command = ["cargo", "lambda", "build", "--release", "--locked", "--x86-64", "--skip-target-check"]
        command += ["--lambda-dir", DEFAULTS / "lambda"]
        variables = {**os.environ, "CARGO_TARGET_DIR": str(DEFAULTS), "PATH": path}
        run(command, cwd=HERE / "rust-defaults", env=variables)
    return binaries(DEFAULTS / "lambda")


def tool(name, sources):
    """A folder in `.tools`, another one as soon as the sources change; and whether it is complete."""
    identity = b"".join(path.read_bytes() for path in sources) + sys.version.encode()
    home = ROOT / ".tools" / f"bench-{name}-{hashlib.sha256(identity).hexdigest()[:12]}"
    if (home / "complete").exists():
        return home, True
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home, False


def python(_build):
    """The function in Python, in AWS's own runtime for it."""
    sources = [HERE / "python/requirements.txt", HERE / "python/callback.py"]
    home, is_complete = tool("python", sources)
    if not is_complete:
        print("Installing the Python function's packages; this happens once", flush=True)
        run([sys.executable, "-I", "-m", "venv", home / "venv"])
        options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        command = [home / "venv/bin/python", "-I", "-m", "pip", "install", *options, "--target", home / "code"]
        run([*command, "--requirement", sources[0]])
        shutil.copy(sources[1], home / "code")
        # As in a package that was made with care: nothing is compiled at a cold start.
        run([home / "venv/bin/python", "-I", "-m", "compileall", "-q", home / "code"])
        (home / "complete").touch()
    # The interpreter itself: a version manager's wrapper would be measured as well.
    interpreter = Path(sys.executable).resolve()
    callback = function(interpreter, ["-m", "awslambdaric", "callback.handler"], home / "code", "callback.handler")
    return {"callback": callback}


def node(_build):
    """The function in JavaScript, bundled."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise Failure("Node is left out: there is no node or no npm on this machine.")
    sources = [HERE / "node" / name for name in ("package.json", "package-lock.json", "callback.mjs", "runtime.mjs")]
    home, is_complete = tool("node", sources)
    if not is_complete:
        print("Installing the Node function's packages; this happens once", flush=True)
        for source in sources:
            shutil.copy(source, home)
        run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=home)
        run([npm, "run", "--silent", "build"], cwd=home)
        (home / "code").mkdir()
        shutil.move(home / "bundle.cjs", home / "code")
        (home / "complete").touch()
    bundle = home / "code/bundle.cjs"
    return {"callback": function(Path(program).resolve(), [bundle], home / "code", "callback.handler")}


TARGETS = {"ours": ours, "rust-defaults": rust_defaults, "node": node, "python": python}


def main():
    build = "--no-build" not in sys.argv
    answer = {}
    for name, prepare in TARGETS.items():
        try:
            answer[name] = {"functions": prepare(build)}
        except (Failure, FileNotFoundError) as failure:
            if name == "ours":
                raise
            print(f"Left out, {name}: {failure}", flush=True)
            answer[name] = {"missing": str(failure)}
    Path(sys.argv[-1]).write_text(json.dumps(answer, indent=1), encoding="utf-8")


processes.interruptible()
try:
    main()
except (Failure, KeyboardInterrupt) as stopped:
    sys.exit(str(stopped) or "Interrupted.")
