"""The stack as CloudFormation knows it."""

import json
import time
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deployment.failure import Failure

POLL_SECONDS = 1
LIMIT_SECONDS = 3600
# Those that AWS::Serverless needs, and its expansion.
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True)
class Deployed:
    """What CloudFormation was given: enough to deploy the same again."""

    template: str
    parameters: dict


class Stack:
    """One stack, there or not."""

    def __init__(self, stage):
        self.name = stage.stack
        self._client = stage.client("cloudformation")

    def state(self):
        """What CloudFormation says about it, or nothing if it is not there."""
        try:
            return self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def must_exist(self):
        """Like `state`, where there is no going on without it."""
        state = self.state()
        if state is None:
            raise Failure(f"There is no stack {self.name}.")
        return state

    def must_take_changes(self):
        """Fails where CloudFormation would refuse a change, and tells what to do."""
        state = self.state()
        status = state["StackStatus"] if state else ""
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            raise Failure(f"{self.name} is {status} and takes no change: delete it, then deploy again.")
        if status == "UPDATE_ROLLBACK_FAILED":
            raise Failure(
                f"{self.name} is {status} and takes no change. Its events say why; once that is mended, end the way "
                f"back with: aws cloudformation continue-update-rollback --stack-name {self.name}"
            )
        if status.endswith("IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise Failure(f"{self.name} is being changed right now ({status}): wait until that has ended.")

    def outputs(self):
        """Its outputs by their names."""
        outputs = self.must_exist().get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def parameter(self, name):
        """The value of one of its parameters."""
        parameters = self.must_exist().get("Parameters", [])
        return next((one["ParameterValue"] for one in parameters if one["ParameterKey"] == name), None)

    def resources(self, kind):
        """The physical ids of its resources of a type, by their logical ids."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == kind and resource["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def deployed(self):
        """What it was last given, or nothing if it is not there."""
        state = self.state()
        if state is None or state["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        template = self._client.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        if not isinstance(template, str):  # the SDK reads JSON by itself
            template = json.dumps(template)
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in state.get("Parameters", [])}
        return Deployed(template, parameters)

    def update(self, template_url, parameters):
        """Gives it a template and all its parameters, and waits until it has them."""
        try:
            self._client.update_stack(
                StackName=self.name,
                TemplateURL=template_url,
                Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
                Capabilities=CAPABILITIES,
            )
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return
            raise
        status = self._ended(self.name)["StackStatus"]
        if status != "UPDATE_COMPLETE":
            raise Failure(f"{self.name} is {status}; its events say why.")

    def protect(self):
        """Lets CloudFormation refuse to delete it."""
        self._client.update_termination_protection(StackName=self.name, EnableTerminationProtection=True)

    def must_be_deletable(self):
        """Fails where it is protected, and tells how that is ended."""
        if (self.state() or {}).get("EnableTerminationProtection"):
            raise Failure(
                f"{self.name} is protected, nothing was deleted. Take that off with: aws cloudformation "
                f"update-termination-protection --no-enable-termination-protection --stack-name {self.name}"
            )

    def delete(self):
        """Deletes it and gives what it leaves behind: type and physical id of each resource that is retained."""
        state = self.must_exist()
        self._client.delete_stack(StackName=self.name)
        # By its id: a stack that is gone has no name any more.
        status = self._ended(state["StackId"])["StackStatus"]
        if status != "DELETE_COMPLETE":
            raise Failure(f"{self.name} is {status}; its events say why.")
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=state["StackId"])
        events = [event for page in pages for event in page["StackEvents"]]
        skipped = [event for event in events if event["ResourceStatus"] == "DELETE_SKIPPED"]
        return sorted({(event["ResourceType"], event["PhysicalResourceId"]) for event in skipped})

    def _ended(self, name):
        end = time.monotonic() + LIMIT_SECONDS
        while True:
            state = self._client.describe_stacks(StackName=name)["Stacks"][0]
            if not state["StackStatus"].endswith("IN_PROGRESS"):
                return state
            if time.monotonic() > end:
                raise Failure(f"{self.name} is still {state['StackStatus']} after {LIMIT_SECONDS} seconds.")
            time.sleep(POLL_SECONDS)
