"""The SAM CLI, as far as it is needed: it packages the functions, uploads them and deploys."""

import os
import sys
import tempfile
from pathlib import Path

from deployment import processes
from deployment.build import BUILT, TEMPLATE, binaries
from deployment.environment import ROOT
from deployment.failure import Failure
from deployment.stages import CONFIG


def deploy(stage, built=None):
    """Deploys the template with the binaries in a folder, `<binary>/bootstrap` each."""
    built = Path(built or BUILT).resolve()
    for name in binaries():
        if not (built / name / "bootstrap").is_file():
            raise Failure(f"{built / name / 'bootstrap'} is missing: build first.")
    with tempfile.TemporaryDirectory() as folder:
        template = TEMPLATE
        if built != BUILT:
            template = Path(folder) / TEMPLATE.name
            text = TEMPLATE.read_text(encoding="utf-8").replace("CodeUri: ../target/lambda", f"CodeUri: {built}")
            template.write_text(text, encoding="utf-8")
        options = ["--template-file", template, "--config-env", stage.name, "--stack-name", stage.stack]
        # Packages lie under the stack's name, so that they can be removed with it.
        options += ["--s3-prefix", stage.stack, "--region", stage.region]
        if stage.parameters:
            # They replace those of the stage's configuration, so all are given. What is not, stays as it was.
            options += ["--parameter-overrides", *(f"{k}={_quoted(v)}" for k, v in stage.parameters.items())]
        run("deploy", *options, "--no-confirm-changeset", "--no-fail-on-empty-changeset")


def validate():
    """Holds the template against what AWS takes, with cfn-lint."""
    # A region is asked for, and nothing is sent there.
    run("validate", "--lint", "--template-file", TEMPLATE, "--region", "eu-west-1")


def run(command, *options):
    """Runs one of its commands."""
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    arguments = [sys.executable, "-m", "samcli", command, "--config-file", CONFIG, *options]
    if processes.run(arguments, cwd=ROOT, env=environment) != 0:
        raise Failure(f"sam {command} has failed; it says why above.")


def _quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
