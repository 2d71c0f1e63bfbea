"""Deploys a SAM template into the local AWS, in fewer steps than the SAM CLI.

    python deploy.py deploy REQUEST     REQUEST is JSON (see `deploy`)
    python deploy.py outputs STACK      STACK names an existing stack

Both commands print the outputs of the stack as JSON. A command that fails writes a sentence to standard error and exits
with 1. The usual AWS variables hold the endpoint, the region and the credentials.
"""

import io
import json
import shlex
import sys
import time
import zipfile

import boto3
import yaml
from botocore.config import Config
from samtranslator.yaml_helper import yaml_parse

BUCKET = "sandbox-artifacts"
LIMIT_SECONDS = 180
POLL_SECONDS = 0.05


class Failure(Exception):
    """An error message for the user, without its full stop."""


def read_template(path):
    try:
        with open(path, encoding="utf-8") as file:
            template = yaml_parse(file.read())
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise Failure(f"{path} is not valid YAML in line {line}: {error.problem}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise Failure(f"{path} is not a template: it has no Resources")
    return template


def functions(template):
    """Yields the logical name, the resource and the binary of each function."""
    for name, resource in template["Resources"].items():
        if resource.get("Type") == "AWS::Serverless::Function":
            folder, _, binary = str(resource.get("Properties", {}).get("CodeUri")).rpartition("/")
            if not folder.endswith("target/lambda") or not binary:
                raise Failure(f"The function {name} names no binary: its CodeUri is not ../target/lambda/<binary>")
            yield name, resource, binary


def package(path):
    """Returns a deployment package that starts a binary of this machine. Copies of the large debug binaries would take
    half of the time of a deployment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.create_system = 3  # Unix. Only entries of Unix have a file mode.
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, f"#!/bin/sh\nexec {shlex.quote(path)}\n")
    return buffer.getvalue()


def to_json(value):
    # YAML parses an unquoted 2012-10-17 as a date, but CloudFormation expects the text.
    return json.dumps(value, default=str)


def deploy(request):
    """Deploys {"template": path, "stack": name, "binaries": {name: path}, "parameters": {name: text}}."""
    # Each call has one attempt. A retry would only delay the error of a local server.
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", config=config)
    cloudformation = boto3.client("cloudformation", config=config)

    template = read_template(request["template"])
    region = s3.meta.region_name
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": region})

    uploaded = set()
    for name, resource, binary in functions(template):
        if binary not in uploaded:
            path = request["binaries"].get(binary)
            if path is None:
                raise Failure(f"The function {name} needs the binary {binary}, which was not built")
            s3.put_object(Bucket=BUCKET, Key=f"{binary}.zip", Body=package(path))
            uploaded.add(binary)
        resource.setdefault("Properties", {})["CodeUri"] = f"s3://{BUCKET}/{binary}.zip"

    unknown = sorted(set(request["parameters"]) - set(template.get("Parameters", {})))
    if unknown:
        raise Failure(f"The template has no parameter {', '.join(unknown)}")

    # The call contains the URL of the template, because a template inside a call can have at most 51,200 bytes.
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=to_json(template).encode())
    stack = request["stack"]
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=f"{s3.meta.endpoint_url}/{BUCKET}/template.json",
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in request["parameters"].items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        state = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not state["StackStatus"].endswith("IN_PROGRESS"):
            break
        if time.monotonic() > end:
            raise Failure(f"The stack is still {state['StackStatus']} after {LIMIT_SECONDS} seconds")
        time.sleep(POLL_SECONDS)
    if state["StackStatus"] != "CREATE_COMPLETE":
        raise Failure(first_failure(cloudformation, stack, state))
    return outputs(state)


def outputs(state):
    return {output["OutputKey"]: output["OutputValue"] for output in state.get("Outputs", [])}


def first_failure(cloudformation, stack, state):
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    failed = [e for page in pages for e in page["StackEvents"] if e["ResourceStatus"].endswith("FAILED")]
    if not failed:
        return f"The stack is {state['StackStatus']}: {state.get('StackStatusReason', 'no reason given')}"
    first = failed[-1]  # CloudFormation lists the newest event first.
    reason = first.get("ResourceStatusReason", "no reason given").rstrip(".")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}) was refused: {reason}"


def main():
    command, argument = sys.argv[1:3]
    try:
        if command == "deploy":
            answer = deploy(json.loads(argument))
        else:
            answer = outputs(boto3.client("cloudformation").describe_stacks(StackName=argument)["Stacks"][0])
    except Failure as failure:
        sys.exit(str(failure))
    except Exception as error:
        sys.exit(f"The deployment failed: {' '.join(str(error).split())}")
    print(to_json(answer))


main()
