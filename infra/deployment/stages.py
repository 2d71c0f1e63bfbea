"""Reads a stage of `samconfig.toml`, and adds the options of the command line."""

import os
from pathlib import Path

import boto3
import tomlkit

from tools.failure import Failure
from tools.install import ROOT

CONFIG = ROOT / "infra/samconfig.toml"


class Stage:
    """A stage in an account: the name and parameters of its stack, and how to reach AWS."""

    def __init__(self, name, stack=None, parameters=(), deployed=None):
        config = tomlkit.parse(CONFIG.read_text(encoding="utf-8")).unwrap()
        if "deploy" not in config.get(name, {}):
            stages = ", ".join(each for each, table in config.items() if isinstance(table, dict) and "deploy" in table)
            raise Failure(f"There is no stage {name} in {CONFIG.relative_to(ROOT)}, only {stages}.")
        settings = config[name]["deploy"]["parameters"]
        self.name = name
        self.stack = stack or settings["stack_name"]
        if self.stack == "releases":
            raise Failure("A stack cannot be named releases: the folder of this name has the releases of all stacks.")
        # The folder of the packages in the artefact bucket. It has the name of the stack, so that `delete` can delete
        # the packages of one stack.
        self.packages = f"packages/{self.stack}"
        # Whether CloudFormation refuses to delete the stack. The SAM CLI ignores this section.
        self.protected = config[name].get("protection", {}).get("parameters", {}).get("enabled", False)
        self.parameters = dict(_pair(text) for text in [*settings.get("parameter_overrides", []), *parameters])
        # The address of an emulator of AWS, or None.
        self.endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/") or None
        self.region = os.environ.get("AWS_REGION") or boto3.Session().region_name
        if not self.region:
            raise Failure("No region is set: set the variable AWS_REGION.")
        # The file for the operator's tool.
        self.file = Path(deployed or ROOT / ".deployed") / f"{self.stack}.json"

    def client(self, service):
        """Returns a client of an AWS service."""
        return boto3.client(service, region_name=self.region)


def _pair(text):
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Failure(f"{text} is not a parameter: write Name=Value.")
    return name, value
