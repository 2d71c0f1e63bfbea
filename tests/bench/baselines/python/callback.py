"""Serves `POST /callbacks` in Python, in the usual style, with boto3 and the standard library."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import secrets
import time

import boto3

TABLE = os.environ["TABLE_NAME"]
QUEUES = json.loads(os.environ["EVENT_QUEUES"])

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
secretsmanager = boto3.client("secretsmanager")
threads = concurrent.futures.ThreadPoolExecutor(max_workers=2)
cache = {}


def project_key(project_id):
    """Returns the current key of a project. The keys are read only once."""
    if "keys" not in cache:
        answer = secretsmanager.get_secret_value(SecretId=os.environ["PROJECT_KEYS_SECRET"])
        cache["keys"] = json.loads(answer["SecretString"])
    return cache["keys"][str(project_id)]["current"]


def canonical(message):
    """Returns all values of a message as `path:value`, sorted and joined."""
    lines = []

    def walk(path, value):
        if isinstance(value, dict):
            for name, inner in value.items():
                if name != "signature":
                    walk([*path, name], inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk([*path, str(index)], inner)
        else:
            if value is None:
                value = ""
            elif isinstance(value, bool):
                value = int(value)
            lines.append(":".join([*path, str(value)]))

    walk([], message)
    return ";".join(sorted(lines)).encode()


def is_signed(message, text):
    """Returns whether the project's key has signed the message."""
    key = project_key(message.get("project_id"))
    expected = hmac.new(key.encode(), text, hashlib.sha512).digest()
    try:
        signature = base64.b64decode(message.get("signature", ""), validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(expected, signature)


def load(pk):
    """Returns a payment and its version, or `None` and 0 if the payment does not exist."""
    item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": "payment"}}, ConsistentRead=True).get("Item")
    if item is None:
        return None, 0
    return json.loads(item["document"]["S"]), int(item["version"]["N"])


def apply(payment, message, report):
    """Adds a report to the payment. Returns False if the report is known, or if the payment has already succeeded."""
    operation = message["operation"]
    known = payment["reported"]["operations"].get(str(operation["id"]), {}).get("report")
    if report == known or payment.get("emitted", {}).get("last", {}).get("status") == "succeeded":
        return False
    is_paid = operation["status"] == "success"
    payment["reported"]["operations"][str(operation["id"])] = {
        "kind": operation["type"],
        "outcome": "succeeded" if is_paid else "pending",
        "platform_status": operation["status"],
        "report": report,
        "amount": operation["sum_initial"]["amount"],
        "currency": operation["sum_initial"]["currency"],
        "code": operation["code"],
        "request_id": operation["request_id"],
    }
    payment["platform_status"] = {"date": message["payment"]["date"], "status": message["payment"]["status"]}
    payment["emitted"]["last"] = {
        "status": "succeeded" if is_paid else "processing",
        "paid_amount": message["payment"]["sum"]["amount"] if is_paid else 0,
        "quarantine": [],
    }
    payment["updated_at"] = message["payment"]["date"]
    payment["sequence"] += 1
    return True


def event_of(payment):
    """Returns the payment's event in the form of CloudEvents."""
    project_id, payment_id, order = payment["project_id"], payment["payment_id"], payment["order"]
    is_paid = payment["emitted"]["last"]["status"] == "succeeded"
    return {
        "specversion": "1.0",
        "id": f"{project_id}/{payment_id}/{payment['sequence']}",
        "source": f"/ecommpay/{project_id}",
        "type": "payment.succeeded" if is_paid else "payment.awaiting_customer",
        "subject": payment_id,
        "time": payment["updated_at"],
        "datacontenttype": "application/json",
        "data": {
            "payment_id": payment_id,
            "order_id": order.get("order_id"),
            "status": payment["emitted"]["last"]["status"],
            "platform_status": payment["platform_status"]["status"],
            "sequence": payment["sequence"],
            "amount": order["amount"],
            "currency": order["currency"],
            "channel": order["channel"],
            "paid_amount": payment["emitted"]["last"]["paid_amount"],
            "operations": payment["reported"]["operations"],
            "refunds": payment["refunds"],
            "created_at": payment["created_at"],
            "updated_at": payment["updated_at"],
        },
    }


def order_key(payment):
    """Returns the partition key of an order."""
    order = payment["order"]
    return f"order#{payment['project_id']}/{order['order_id'].lower()}/{order['storefront']}"


def commit(pk, payment, version, event):
    """Writes the payment and its event and, after a success, the record that the payment has paid its order.

    Fails if the payment has changed since it was read.
    """
    now = int(time.time() * 1000)
    shard = hashlib.sha256(pk.encode()).digest()[0] % 8
    sequence = payment["sequence"]
    update = {
        "TableName": TABLE,
        "Key": {"pk": {"S": pk}, "sk": {"S": "payment"}},
        "UpdateExpression": "SET #document = :document, #version = :written, #sequence = :sequence, "
        "#published = if_not_exists(#published, :none), #commit = :commit, #outbox = :outbox, "
        "#since = if_not_exists(#since, :now), #next = :next, #next_at = :next_at",
        "ConditionExpression": "#version = :read",
        "ExpressionAttributeNames": {
            "#document": "document",
            "#version": "version",
            "#sequence": "sequence",
            "#published": "published",
            "#commit": "commit",
            "#outbox": "outbox",
            "#since": "outbox_since",
            "#next": "next",
            "#next_at": "next_at",
        },
        "ExpressionAttributeValues": {
            ":document": {"S": json.dumps(payment, separators=(",", ":"))},
            ":written": {"N": str(version + 1)},
            ":sequence": {"N": str(sequence)},
            ":none": {"N": "0"},
            ":commit": {"S": secrets.token_hex(8)},
            ":outbox": {"S": f"outbox#{shard:02}"},
            ":now": {"N": str(now)},
            ":next": {"S": f"erase#{shard:02}"},
            ":next_at": {"N": str(now + 2_678_400_000)},
            ":read": {"N": str(version)},
        },
    }
    event_put = {
        "TableName": TABLE,
        "Item": {
            "pk": {"S": pk},
            "sk": {"S": f"event#{sequence:010}"},
            "kind": {"S": event["type"]},
            "content": {"S": json.dumps({"data": event["data"], "time": event["time"]}, separators=(",", ":"))},
            "expires_at": {"N": str(now // 1000 + 90 * 24 * 3_600)},
        },
    }
    items = [{"Update": update}, {"Put": event_put}]
    if payment["emitted"]["last"]["status"] == "succeeded":
        entry = {"pk": {"S": order_key(payment)}, "sk": {"S": "first"}, "paid_by": {"S": payment["payment_id"].lower()}}
        put = {"TableName": TABLE, "Item": entry, "ConditionExpression": "attribute_not_exists(pk)"}
        items.append({"Put": put})
    dynamodb.transact_write_items(TransactItems=items)


def send(payment, event):
    """Sends an event in parallel to all queues that accept the type of the event."""
    body = json.dumps(event, separators=(",", ":"))

    def to(queue):
        sqs.send_message(
            QueueUrl=queue["url"],
            MessageBody=body,
            MessageGroupId=f"{payment['project_id']}-{payment['payment_id']}",
            MessageDeduplicationId=hashlib.sha256(event["id"].encode()).hexdigest(),
        )

    accepting = [queue for queue in QUEUES if "types" not in queue or event["type"] in queue["types"]]
    for sent in [threads.submit(to, queue) for queue in accepting]:
        sent.result()


def mark(pk, payment):
    """Marks the payment's events as published."""
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": pk}, "sk": {"S": "payment"}},
        UpdateExpression="SET #published = :through REMOVE #outbox, #since",
        ConditionExpression="#sequence = :through",
        ExpressionAttributeNames={
            "#published": "published",
            "#sequence": "sequence",
            "#outbox": "outbox",
            "#since": "outbox_since",
        },
        ExpressionAttributeValues={":through": {"N": str(payment["sequence"])}},
    )


def handle_callback(body):
    """Handles a callback. Returns the HTTP status, the outcome and the payment."""
    try:
        message = json.loads(body)
    except ValueError:
        return 400, "malformed", {}
    text = canonical(message)
    if not is_signed(message, text):
        return 401, "unsigned", {}
    pk = f"payment#{message['project_id']}/{message['payment']['id'].lower()}"
    payment, version = load(pk)
    if payment is None:
        return 200, "no_payment", {}
    if not apply(payment, message, hashlib.sha256(text).hexdigest()[:16]):
        return 200, "duplicate", payment
    event = event_of(payment)
    commit(pk, payment, version, event)
    send(payment, event)
    mark(pk, payment)
    return 200, "applied", payment


def log(outcome, payment, start):
    """Writes a log line with metrics in CloudWatch's embedded format."""
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": os.environ["METRICS_NAMESPACE"],
                    "Dimensions": [["outcome"]],
                    "Metrics": [
                        {"Name": "callbacks", "Unit": "Count"},
                        {"Name": "duration_ms", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
        "level": "INFO",
        "message": "callback",
        "outcome": outcome,
        "key": "current",
        "project": payment.get("project_id"),
        "payment": payment.get("payment_id"),
        "platform_status": payment.get("platform_status", {}).get("status"),
        "status": payment.get("emitted", {}).get("last", {}).get("status"),
        "callbacks": 1,
        "duration_ms": int((time.monotonic() - start) * 1000),
    }
    print(json.dumps(line, separators=(",", ":")), flush=True)


def handler(event, _context):
    """Handles an event of API Gateway."""
    start = time.monotonic()
    status, outcome, payment = handle_callback(event["body"])
    log(outcome, payment, start)
    return {"statusCode": status, "headers": {}, "body": ""}
