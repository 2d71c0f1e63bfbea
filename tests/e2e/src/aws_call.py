"""Calls an operation of the local AWS as an administrator, and prints the whole answer as JSON.

    python aws_call.py ENDPOINT REGION SERVICE OPERATION PARAMETERS
"""

import json
import sys

import boto3
from botocore.response import StreamingBody

endpoint, region, service, operation, parameters = sys.argv[1:]
client = boto3.client(service, endpoint_url=endpoint, region_name=region,
                      aws_access_key_id="test", aws_secret_access_key="test")


def readable(value):
    return value.read().decode() if isinstance(value, StreamingBody) else str(value)


parameters = json.loads(parameters)
if client.can_paginate(operation):
    answer = client.get_paginator(operation).paginate(**parameters).build_full_result()
else:
    answer = getattr(client, operation)(**parameters)
print(json.dumps(answer, default=readable))
