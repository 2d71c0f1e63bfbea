"""Reads and deletes a stack in CloudFormation."""

import json
import time
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tools.failure import Failure

POLL_SECONDS = 1
# The script waits at most this time for the end of a deletion.
LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class Deployed:
    """A deployment: a template and all its parameters. Together they are enough to repeat the deployment."""

    template: str
    parameters: dict


class Stack:
    """A stack, whether it exists or not."""

    def __init__(self, stage):
        self.name = stage.stack
        self._client = stage.client("cloudformation")

    def state(self):
        """Returns the description of the stack, or None if the stack does not exist."""
        try:
            return self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def must_exist(self):
        """Returns the description of the stack. Fails if the stack does not exist."""
        state = self.state()
        if state is None:
            raise Failure(f"There is no stack {self.name}.")
        return state

    def must_take_changes(self):
        """Fails if CloudFormation would refuse to change the stack. The message says what to do."""
        state = self.state()
        status = state["StackStatus"] if state else ""
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            raise Failure(f"{self.name} is {status} and cannot be changed: delete it, then deploy again.")
        if status == "UPDATE_ROLLBACK_FAILED":
            raise Failure(
                f"{self.name} is {status} and cannot be changed. The events of the stack say why; remove the cause, "
                f"then finish the rollback with: aws cloudformation continue-update-rollback --stack-name {self.name}"
            )
        if status.endswith("IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise Failure(f"{self.name} is being changed ({status}): wait until this change has ended.")

    def outputs(self):
        """Returns the outputs of the stack, by name."""
        outputs = self.must_exist().get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def parameter(self, name):
        """Returns the value of a parameter, or None if the stack has no parameter with this name."""
        parameters = self.must_exist().get("Parameters", [])
        return next((each["ParameterValue"] for each in parameters if each["ParameterKey"] == name), None)

    def resources(self, kind):
        """Returns the physical ids of all resources of a type, by logical id."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == kind and resource["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def deployed(self):
        """Returns the current deployment, or None if the stack does not exist."""
        state = self.state()
        if state is None or state["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        template = self._client.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        if not isinstance(template, str):  # The SDK has parsed a JSON template.
            template = json.dumps(template)
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in state.get("Parameters", [])}
        return Deployed(template, parameters)

    def protect(self):
        """Makes CloudFormation refuse to delete the stack."""
        self._client.update_termination_protection(StackName=self.name, EnableTerminationProtection=True)

    def must_be_deletable(self):
        """Fails if the stack is protected. The message says how to remove the protection."""
        if (self.state() or {}).get("EnableTerminationProtection"):
            raise Failure(
                f"{self.name} is protected; nothing was deleted. Remove the protection with: aws cloudformation "
                f"update-termination-protection --no-enable-termination-protection --stack-name {self.name}"
            )

    def delete(self):
        """Deletes the stack. Returns the type and the physical id of each resource that CloudFormation retained."""
        state = self.must_exist()
        self._client.delete_stack(StackName=self.name)
        # CloudFormation finds a deleted stack only by its id, not by its name.
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
