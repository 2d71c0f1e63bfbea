"""Prints the actions of the sample consumer, for `cargo run -- rehearse --state-command`.

The argument is the name of the table. The table has the actions in the order of the sequence numbers. In a rehearsal of
the sample, this is also the order of time.
"""

import json
import sys

import boto3


def actions(text):
    """Reads a text such as `2 hold, 3 ship, 4-1003 nothing`."""
    for run in text.split(", "):
        numbers, action = run.split(" ")
        first, _, last = numbers.partition("-")
        if action != "nothing":
            for _ in range(int(first), int(last or first) + 1):
                yield action


def main(table):
    pages = boto3.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            for action in actions(item["actions"]["S"]):
                print(json.dumps({"payment": item["payment"]["S"], "action": action}))


main(*sys.argv[1:])
