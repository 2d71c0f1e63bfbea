"""Stores the releases of a stack in the artefact bucket of the SAM CLI, so that any machine can deploy a release again.

The bucket also has the packages of the functions:

    releases/<stack>/<time>/template   the template of CloudFormation, with the addresses of the packages
    releases/<stack>/<time>/release    the parameters, and the name of the previous release
    releases/<stack>/current           the name of the current release
    packages/<stack>/                  the packages, which the SAM CLI uploads

A deployment becomes a release when it passes the smoke test.
"""

import json
import time
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deployment.stack import Deployed
from tools.failure import Failure

# The stack with the artefact bucket. The SAM CLI creates this stack when it first deploys into an account and region.
# All stacks of the account and region share the bucket.
BUCKET_STACK = "aws-sam-cli-managed-default"


@dataclass(frozen=True)
class Release:
    """A release and the name of the previous release."""

    name: str
    deployed: Deployed
    previous: str | None


class Releases:
    """The releases of one stack."""

    def __init__(self, stage):
        self._stage = stage
        self._folder = f"releases/{stage.stack}"
        self._s3 = stage.client("s3") if not stage.endpoint else _path_style(stage)
        self._bucket = None

    def bucket(self):
        """Returns the bucket's name."""
        if self._bucket is None:
            try:
                stacks = self._stage.client("cloudformation").describe_stacks(StackName=BUCKET_STACK)["Stacks"]
            except ClientError as error:
                raise Failure(f"There is no stack {BUCKET_STACK}, so this script has deployed nothing.") from error
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
            self._bucket = outputs["SourceBucket"]
        return self._bucket

    def current(self):
        """Returns the current release, or None."""
        name = self._get("current")
        return self._release(name) if name else None

    def before(self, deployed):
        """Returns the release that a rollback from this deployment deploys."""
        current = self.current()
        if current is None:
            raise Failure("There is no release to roll back to.")
        if current.deployed != deployed:
            # The deployment is not a release: another tool made it, or it failed the smoke test.
            return current
        if current.previous is None:
            raise Failure("This is the first release, so there is no earlier release to roll back to.")
        return self._release(current.previous)

    def add(self, deployed):
        """Stores a deployment as the current release."""
        current = self.current()
        if current and current.deployed == deployed:
            return
        name = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
        previous = current.name if current else None
        self._put(f"{name}/template", deployed.template)
        self._put(f"{name}/release", json.dumps({"parameters": deployed.parameters, "previous": previous}))
        self.make_current(name)

    def make_current(self, name):
        """Stores the name of the release that is deployed."""
        self._put("current", name)

    def address(self, deployed):
        """Uploads a template and returns its address, because a call can contain at most 51,200 bytes of template."""
        self._put("rollback", deployed.template)
        return f"{self._s3.meta.endpoint_url}/{self.bucket()}/{self._folder}/rollback"

    def delete(self):
        """Deletes all versions of all releases, and the packages."""
        pages = self._s3.get_paginator("list_object_versions")
        for prefix in (f"{self._folder}/", f"{self._stage.packages}/"):
            for page in pages.paginate(Bucket=self.bucket(), Prefix=prefix):
                found = page.get("Versions", []) + page.get("DeleteMarkers", [])
                objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
                if objects:
                    self._delete(objects)

    def _delete(self, objects):
        answer = self._s3.delete_objects(Bucket=self.bucket(), Delete={"Objects": objects, "Quiet": True})
        errors = answer.get("Errors", [])
        if errors:
            first = errors[0]
            raise Failure(
                f"{len(errors)} objects of {self.bucket()} cannot be deleted. The first is {first.get('Key')}: "
                f"{first.get('Message') or first.get('Code')}. Remove the cause and delete again."
            )

    def _release(self, name):
        release = json.loads(self._get(f"{name}/release"))
        deployed = Deployed(self._get(f"{name}/template"), release["parameters"])
        return Release(name, deployed, release["previous"])

    def _get(self, key):
        try:
            answer = self._s3.get_object(Bucket=self.bucket(), Key=f"{self._folder}/{key}")
        except self._s3.exceptions.NoSuchKey:
            return None
        return answer["Body"].read().decode()

    def _put(self, key, text):
        self._s3.put_object(Bucket=self.bucket(), Key=f"{self._folder}/{key}", Body=text.encode())


def _path_style(stage):
    """Returns a client for an emulator, whose buckets have no host names of their own."""
    return boto3.client("s3", region_name=stage.region, config=Config(s3={"addressing_style": "path"}))
