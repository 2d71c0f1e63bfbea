"""Calls DynamoDB of the local AWS with a function's role, and prints a JSON list of the results.

    python as_role.py ENDPOINT REGION ROLE CALLS

CALLS is a JSON list of pairs [operation, parameters] with the names of the Python SDK. A result is "allowed", or the
code of the error.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError

endpoint, region, role, calls = sys.argv[1:]


def client(service, key="test", secret="test", token=None):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token)


iam, sts = client("iam"), client("sts")
described = iam.get_role(RoleName=role)["Role"]
trust = described["AssumeRolePolicyDocument"]
# The role trusts only Lambda. Until it is assumed below, it trusts this account.
root = f"arn:aws:iam::{described['Arn'].split(':')[4]}:root"
trusting = {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}]}
iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trusting))
try:
    session = sts.assume_role(RoleArn=described["Arn"], RoleSessionName="test")["Credentials"]
finally:
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
dynamodb = client("dynamodb", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


def outcome(operation, parameters):
    try:
        getattr(dynamodb, operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"


print(json.dumps([outcome(operation, parameters) for operation, parameters in json.loads(calls)]))
