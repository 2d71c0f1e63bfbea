"""The SAM CLI, as far as it is needed: it packages the functions, uploads them and deploys."""

import os
import sys
import tempfile
from pathlib import Path

from deployment import parameters, processes
from deployment.build import BUILT, TEMPLATE, binaries
from deployment.environment import ROOT
from deployment.failure import Failure
from deployment.stages import CONFIG


def deploy(stage, kept, built=None):
    """Deploys the template with the binaries in a folder, `<binary>/bootstrap` each.

    `kept` are the parameters that the stack has; what the stage does not say stays so.
    """
    built = Path(built or BUILT).resolve()
    files = {name: built / name / "bootstrap" for name in binaries()}
    for file in files.values():
        if not file.is_file():
            raise Failure(f"{file} is missing: build first.")
    text = TEMPLATE.read_text(encoding="utf-8")
    given = parameters.merged(text, kept, stage.parameters)
    # They replace those of the stage's configuration, so all are given. What is not, stays as it was.
    overrides = {**stage.parameters, **parameters.releases(text, given, files)}
    with tempfile.TemporaryDirectory() as folder:
        template = TEMPLATE
        if built != BUILT:
            template = Path(folder) / TEMPLATE.name
            template.write_text(text.replace("CodeUri: ../target/lambda", f"CodeUri: {built}"), encoding="utf-8")
        options = ["--template-file", template, "--config-env", stage.name, "--stack-name", stage.stack]
        options += ["--s3-prefix", stage.packages, "--region", stage.region]
        options += ["--parameter-overrides", *(f"{k}={_quoted(v)}" for k, v in overrides.items())]
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
