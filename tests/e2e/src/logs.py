"""Prints every line that the functions of a local AWS have logged."""

import sys

import boto3

endpoint, region = sys.argv[1:]
logs = boto3.client("logs", endpoint_url=endpoint, region_name=region,
                    aws_access_key_id="test", aws_secret_access_key="test")
for group in logs.describe_log_groups()["logGroups"]:
    token = {}
    while True:
        page = logs.filter_log_events(logGroupName=group["logGroupName"], **token)
        for event in page["events"]:
            print(event["message"].rstrip("\n"))
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
