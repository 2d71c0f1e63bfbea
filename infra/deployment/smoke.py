"""Runs the smoke test of a stack. The test changes nothing in the stack."""

import time
import urllib.error
import urllib.request

from botocore.exceptions import BotoCoreError, ClientError

from deployment.outputs import address
from tools.output import say

PAUSE_SECONDS = 1
REQUEST_SECONDS = 30


def smoke(stage, stack, patience):
    """Returns the problems, as sentences. Repeats each failing check for at most `patience` seconds."""
    try:
        outputs = stack.outputs()
    except (BotoCoreError, ClientError) as error:
        return [_failed(error)]
    checks = [
        lambda: _stack(stack),
        lambda: _functions(stage, stack),
        lambda: _tables(stage, stack),
        lambda: _queues(stage, stack),
        lambda: _alarms(stage, stack),
        *_answers(stage, outputs),
    ]
    end = time.monotonic() + patience
    while True:
        # A check that succeeded is not repeated, because each refused callback counts in a metric that has an alarm.
        found = [(check, _problems(check)) for check in checks]
        checks = [check for check, problems in found if problems]
        if not checks or time.monotonic() > end:
            return [problem for _, problems in found for problem in problems]
        time.sleep(PAUSE_SECONDS)


def _problems(check):
    try:
        return check()
    except (BotoCoreError, ClientError) as error:
        return [_failed(error)]


def _failed(error):
    return f"A call to AWS failed: {' '.join(str(error).split())}"


def _stack(stack):
    status = stack.must_exist()["StackStatus"]
    good = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    return [] if good else [f"The stack is {status}."]


def _functions(stage, stack):
    client = stage.client("lambda")
    problems = []
    for name, physical in stack.resources("AWS::Lambda::Function").items():
        try:
            function = client.get_function_configuration(FunctionName=physical)
        except client.exceptions.ResourceNotFoundException:
            problems.append(f"{name} is missing.")
            continue
        state, last = function.get("State"), function.get("LastUpdateStatus", "Successful")
        # Lambda makes a function inactive after weeks without a call, and active again at the next call.
        if state not in ("Active", "Inactive") or last != "Successful":
            problems.append(f"{name} is {state}; its last update is {last}.")
    return problems


def _tables(stage, stack):
    client = stage.client("dynamodb")
    problems = []
    for name, physical in stack.resources("AWS::DynamoDB::Table").items():
        try:
            status = client.describe_table(TableName=physical)["Table"]["TableStatus"]
        except client.exceptions.ResourceNotFoundException:
            status = "missing"
        # While a table is UPDATING, it accepts requests.
        if status not in ("ACTIVE", "UPDATING"):
            problems.append(f"{name} is {status}.")
    return problems


def _queues(stage, stack):
    client = stage.client("sqs")
    problems = []
    for name, url in stack.resources("AWS::SQS::Queue").items():
        try:
            client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        except client.exceptions.QueueDoesNotExist:
            problems.append(f"{name} is missing.")
    return problems


def _alarms(stage, stack):
    alarms = stack.resources("AWS::CloudWatch::Alarm")
    pages = stage.client("cloudwatch").get_paginator("describe_alarms")
    names = list(alarms.values())
    found = set()
    for start in range(0, len(names), 100):  # A call accepts at most 100 names.
        for page in pages.paginate(AlarmNames=names[start : start + 100]):
            found |= {alarm["AlarmName"] for alarm in page["MetricAlarms"]}
    return [f"{name} is missing." for name, physical in alarms.items() if physical not in found]


def _answers(stage, outputs):
    """Returns checks of the API: each sends a request without a key and compares the status of the answer."""
    api = address(stage, outputs)
    return [
        lambda: _callbacks(stage, outputs, f"{api}/callbacks"),
        lambda: _answer("GET", f"{api}/checkouts/smoke-test", 404),
        lambda: _answer("GET", f"{api}/payments/smoke-test", 401),
        lambda: _answer("GET", f"{api}/payments/smoke-test/refunds/smoke-test", 401),
    ]


def _callbacks(stage, outputs, url):
    unsigned = b'{"project_id":1,"payment":{"id":"smoke-test"}}'
    if _has_value(stage, outputs["ProjectKeysSecret"]):
        return _answer("POST", url, 401, unsigned)
    problems = _answer("POST", url, 503, unsigned)
    if not problems:
        say("The secret with the projects' keys is empty: callbacks are answered 503 until it has a key.")
    return problems


def _answer(method, url, expected, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        return [f"{method} {url} has no answer: {error}."]
    return [] if status == expected else [f"{method} {url} returned {status} instead of {expected}."]


def _has_value(stage, secret):
    """Returns whether a secret has a value. On AWS, needs no permission to read the value."""
    client = stage.client("secretsmanager")
    if not stage.endpoint:
        versions = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
        return any("AWSCURRENT" in stages for stages in versions.values())
    try:
        return bool(client.get_secret_value(SecretId=secret).get("SecretString"))
    except client.exceptions.ResourceNotFoundException:
        return False
