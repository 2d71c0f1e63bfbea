"""What was deployed, and can be deployed again from any machine: kept in the artefact bucket of the SAM CLI, where the
functions' packages are kept too.

    releases/<stack>/<time>/template   as CloudFormation was given it, with the addresses of the packages
    releases/<stack>/<time>/release    its parameters, and the release before it
    releases/<stack>/current           the release that was last deployed
    packages/<stack>/                  the packages

Only what has passed the smoke test is a release.
"""

import json
import time
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deployment.failure import Failure
from deployment.stack import Deployed

# Made by the SAM CLI at the first deployment into an account and region, for all stacks of it.
BUCKET_STACK = "aws-sam-cli-managed-default"


@dataclass(frozen=True)
class Release:
    """A release and the name of the one before it."""

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
        """The bucket that holds them."""
        if self._bucket is None:
            try:
                stacks = self._stage.client("cloudformation").describe_stacks(StackName=BUCKET_STACK)["Stacks"]
            except ClientError as error:
                raise Failure(f"There is no stack {BUCKET_STACK}, so nothing was deployed from here.") from error
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
            self._bucket = outputs["SourceBucket"]
        return self._bucket

    def current(self):
        """The release that was last deployed, or nothing."""
        name = self._get("current")
        return self._release(name) if name else None

    def before(self, deployed):
        """The release to go back to from what is deployed."""
        current = self.current()
        if current is None:
            raise Failure("There is no release to go back to.")
        if current.deployed != deployed:
            # Deployed in another way, or failing the smoke test: no release.
            return current
        if current.previous is None:
            raise Failure("This is the first release; there is none before it.")
        return self._release(current.previous)

    def keep(self, deployed):
        """Keeps what is deployed as the current release."""
        current = self.current()
        if current and current.deployed == deployed:
            return current
        name = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
        previous = current.name if current else None
        self._put(f"{name}/template", deployed.template)
        self._put(f"{name}/release", json.dumps({"parameters": deployed.parameters, "previous": previous}))
        self.make_current(name)
        return Release(name, deployed, previous)

    def make_current(self, name):
        """Notes which release is deployed."""
        self._put("current", name)

    def address(self, deployed):
        """An address of a template for CloudFormation, which takes 51,200 bytes at most in a call."""
        self._put("going-back", deployed.template)
        return f"{self._s3.meta.endpoint_url}/{self.bucket()}/{self._folder}/going-back"

    def forget(self):
        """Removes all of them with all versions, and the packages of the stack's functions."""
        pages = self._s3.get_paginator("list_object_versions")
        for prefix in (f"{self._folder}/", f"{self._stage.packages}/"):
            for page in pages.paginate(Bucket=self.bucket(), Prefix=prefix):
                found = page.get("Versions", []) + page.get("DeleteMarkers", [])
                objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
                if objects:
                    self._delete(objects)

    def _delete(self, objects):
        answer = self._s3.delete_objects(Bucket=self.bucket(), Delete={"Objects": objects, "Quiet": True})
        errors = answer.get("Errors", [])
        if errors:
            first = errors[0]
            raise Failure(
                f"{len(errors)} objects of {self.bucket()} cannot be deleted. The first is {first.get('Key')}: "
                f"{first.get('Message') or first.get('Code')}. Delete again once that is mended."
            )

    def _release(self, name):
        about = json.loads(self._get(f"{name}/release"))
        deployed = Deployed(self._get(f"{name}/template"), about["parameters"])
        return Release(name, deployed, about["previous"])

    def _get(self, key):
        try:
            answer = self._s3.get_object(Bucket=self.bucket(), Key=f"{self._folder}/{key}")
        except self._s3.exceptions.NoSuchKey:
            return None
        return answer["Body"].read().decode()

    def _put(self, key, text):
        self._s3.put_object(Bucket=self.bucket(), Key=f"{self._folder}/{key}", Body=text.encode())


def _path_style(stage):
    """An emulator has no address of its own for each bucket."""
    return boto3.client("s3", region_name=stage.region, config=Config(s3={"addressing_style": "path"}))
