"""Runs the SAM CLI, which packages the functions, uploads the packages and deploys the stack."""

import json
import os
import sys
import tempfile
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse

from deployment import parameters, release_names
from deployment.build import BUILT, TEMPLATE, binaries
from deployment.stages import CONFIG
from tools.failure import Failure
from tools.install import ROOT
from tools.supervise import run


def deploy(stage, current, built=None):
    """Deploys the template with the binaries `<binary>/bootstrap` of the folder `built`.

    `current` has the present parameters of the stack. A parameter that the stage does not set keeps its present value.
    """
    built = Path(built or BUILT).resolve()
    files = {name: built / name / "bootstrap" for name in binaries()}
    for file in files.values():
        if not file.is_file():
            raise Failure(f"{file} is missing: build first.")
    text = TEMPLATE.read_text(encoding="utf-8")
    merged = parameters.merged(text, current, stage.parameters)
    code = {name: file.read_bytes() for name, file in files.items()}
    release = release_names.name_of(text, merged, code, current.get("Release", ""))
    text = text.replace("CodeUri: ../target/lambda", f"CodeUri: {built}")
    # With overrides, the SAM CLI ignores the parameters in samconfig.toml. Therefore the overrides contain all
    # parameters of the stage. CloudFormation keeps the values of the other parameters.
    _deploy(stage, text, {**stage.parameters, "Release": release})


def deploy_again(stage, name, release):
    """Deploys a release again, all at once, so that no alarm of a gradual deployment can stop it."""
    overrides = {"Deployment": "AllAtOnce", "Release": release_names.deployed_now(name)}
    _deploy(stage, release.template, {**release.parameters, **overrides})


def _deploy(stage, text, overrides):
    parsed = yaml_parse(text)
    # SAM names the versions of functions after the release. On a local AWS, SAM sees only the defaults of parameters,
    # so the name of the release becomes the default.
    parsed["Parameters"]["Release"]["Default"] = overrides["Release"]
    with tempfile.TemporaryDirectory() as folder:
        template, values = Path(folder) / "template.yaml", Path(folder) / "parameters.yaml"
        template.write_text(yaml_dump(parsed), encoding="utf-8")
        values.write_text(json.dumps(overrides), encoding="utf-8")
        options = ["--template-file", template, "--config-env", stage.name, "--stack-name", stage.stack]
        options += ["--s3-prefix", stage.packages, "--region", stage.region]
        options += ["--parameter-overrides", f"file://{values}"]
        _sam("deploy", *options, "--no-confirm-changeset", "--no-fail-on-empty-changeset")


def validate():
    """Checks the template with cfn-lint."""
    # The SAM CLI requires a region, although it sends nothing to AWS here.
    _sam("validate", "--lint", "--template-file", TEMPLATE, "--region", "eu-west-1")


def _sam(command, *options):
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    arguments = [sys.executable, "-m", "samcli", command, "--config-file", CONFIG, *options]
    if run(arguments, cwd=ROOT, env=environment) != 0:
        raise Failure(f"sam {command} failed; the reason is above.")
