"""Writes the files of a release: the functions' binaries and the operator's tool for one architecture, and a checksum.

With these files, an operator deploys and uses the tool on a machine without Rust.
"""

import gzip
import hashlib
import os
import re
import tarfile

from deployment.build import BUILT, binaries, build, cargo_lambda
from tools.failure import Failure
from tools.install import ROOT
from tools.output import say

FOLDER = ROOT / "target/package"
# The package and the binary of the operator's tool.
OPERATOR = "operator"


def package(architecture):
    """Builds the functions and the operator's tool, and writes their archive and its checksum into `FOLDER`."""
    build(architecture)
    # cargo-lambda also builds the operator's tool, so that the tool runs with old versions of glibc. This is a separate
    # run, because otherwise cargo would add the features of the tool's dependencies to the functions.
    options = ["--lambda-dir", BUILT, "--package", OPERATOR, "--bin", OPERATOR]
    cargo_lambda(architecture, options, cwd=ROOT, env=os.environ)
    files = {f"functions/{name}/bootstrap": BUILT / name / "bootstrap" for name in binaries()}
    files[OPERATOR] = BUILT / OPERATOR / "bootstrap"
    for file in files.values():
        if not file.is_file():
            raise Failure(f"{file} is missing, although the build succeeded.")
    archive = write(files, FOLDER, f"bancontact-{version()}-linux-{architecture}")
    say(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB")


def version():
    """Returns the version of the workspace."""
    text = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^\[workspace\.package\]\nversion = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise Failure("Cargo.toml has no version.")
    return found[1]


def write(files, folder, name):
    """Writes the archive `<name>.tar.gz` with one folder, and the checksum `<name>.tar.gz.sha256`. Returns the archive.

    Equal binaries result in equal archives: the archive has no times, users or groups of this machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{name}.tar.gz"
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, file in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = file.stat().st_size
            entry.mode = 0o755
            with file.open("rb") as content:
                tar.addfile(entry, content)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    # The format of `sha256sum`, so that `sha256sum --check` can check the archive.
    checksum = folder / f"{archive.name}.sha256"
    checksum.write_text(f"{digest}  {archive.name}\n", encoding="ascii")
    return archive
