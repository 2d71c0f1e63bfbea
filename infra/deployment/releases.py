"""Stores the releases of a stack in the artefact bucket of the SAM CLI, so that any machine can deploy a release again.

The bucket also has the packages of the functions:

    releases/<stack>/<name>   the template of a release, with the addresses of the packages, and its parameters
    packages/<stack>/         the packages, which the SAM CLI uploads

A deployment becomes a release when it passes the smoke test. The parameter `Release` of the stack has the name of the
release (see `release_names.py`).
"""

import dataclasses
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deployment import release_names
from deployment.stack import Deployed
from tools.failure import Failure

# The stack with the artefact bucket. The SAM CLI creates this stack when it first deploys into an account and region.
# All stacks of the account and region share the bucket.
BUCKET_STACK = "aws-sam-cli-managed-default"


class Releases:
    """The releases of one stack."""

    def __init__(self, stage):
        self._stage = stage
        self._folder = f"releases/{stage.stack}/"
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

    def add(self, deployed):
        """Stores a deployment as a release."""
        key = self._folder + release_names.original(deployed.parameters["Release"])
        self._s3.put_object(Bucket=self.bucket(), Key=key, Body=json.dumps(dataclasses.asdict(deployed)).encode())

    def before(self, name):
        """Returns the name of the last release before another release, and its deployment."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket(), Prefix=self._folder)
        names = [found["Key"].removeprefix(self._folder) for page in pages for found in page.get("Contents", [])]
        earlier = release_names.before(name, names)
        if earlier is None:
            raise Failure("There is no earlier release to roll back to.")
        answer = self._s3.get_object(Bucket=self.bucket(), Key=self._folder + earlier)
        return earlier, Deployed(**json.loads(answer["Body"].read()))

    def delete(self):
        """Deletes all versions of all releases, and the packages."""
        pages = self._s3.get_paginator("list_object_versions")
        for prefix in (self._folder, f"{self._stage.packages}/"):
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


def _path_style(stage):
    """Returns a client for an emulator, whose buckets have no host names of their own."""
    return boto3.client("s3", region_name=stage.region, config=Config(s3={"addressing_style": "path"}))
