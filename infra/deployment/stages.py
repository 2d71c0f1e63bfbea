"""What `samconfig.toml` says about a stage, and what the command line says otherwise."""

import os
from pathlib import Path

import boto3
import tomlkit

from deployment.environment import ROOT
from deployment.failure import Failure

CONFIG = ROOT / "infra/samconfig.toml"


class Stage:
    """A stage of the project in an account: the name of its stack, its parameters, and the way there."""

    def __init__(self, name, stack=None, parameters=(), deployed=None):
        config = tomlkit.parse(CONFIG.read_text(encoding="utf-8")).unwrap()
        if "deploy" not in config.get(name, {}):
            stages = ", ".join(stage for stage, of in config.items() if isinstance(of, dict) and "deploy" in of)
            raise Failure(f"There is no stage {name} in {CONFIG.relative_to(ROOT)}, only {stages}.")
        settings = config[name]["deploy"]["parameters"]
        self.name = name
        self.stack = stack or settings["stack_name"]
        if self.stack == "releases":
            raise Failure("releases is no name for a stack: releases of all stacks lie under it. Take another one.")
        # Packages lie under the stack's name, so that they can be removed with it.
        self.packages = f"packages/{self.stack}"
        # Whether the stack must not be deleted by mistake. SAM ignores this section.
        self.protected = config[name].get("protection", {}).get("parameters", {}).get("enabled", False)
        self.parameters = dict(_pair(text) for text in [*settings.get("parameter_overrides", []), *parameters])
        # Only of an emulator of AWS.
        self.endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/") or None
        self.region = os.environ.get("AWS_REGION") or boto3.Session().region_name
        if not self.region:
            raise Failure("No region is set: put it into the variable AWS_REGION.")
        # What operators need to know of the stack.
        self.file = Path(deployed or ROOT / ".deployed") / f"{self.stack}.json"

    def client(self, service):
        """A client of an AWS service."""
        return boto3.client(service, region_name=self.region)


def _pair(text):
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Failure(f"{text} is no parameter: write it as Name=Value.")
    return name, value
