"""Writes the outputs of a stack into a file, for the operator's tool."""

import json
import os

from tools.output import say


def write(stage, stack):
    """Writes the file. Replaces an older file in one step, so that no reader sees a part of the new file."""
    content = _content(stage, stack)
    path = file(stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)
    say(f"Wrote {os.path.relpath(path)}")


def file(stage):
    """Returns the path of the file. If the usual file is about another region, the path also names the region."""
    try:
        region = json.loads(stage.file.read_text(encoding="utf-8")).get("region")
    except (OSError, ValueError):
        region = None
    return stage.file if region in (None, stage.region) else stage.file.with_suffix(f".{stage.region}.json")


def _content(stage, stack):
    outputs = stack.outputs()

    def ending(end):
        """Returns the outputs whose names end with `end`, by the rest of their names: `AuditQueueUrl` is `audit`."""
        named = {name.removesuffix(end).lower(): value for name, value in outputs.items() if name.endswith(end)}
        return dict(sorted(named.items()))

    content = {
        "api": stage.endpoint and address(stage, outputs) or stack.parameter("PublicBaseUrl") or outputs["ApiUrl"],
        "region": stage.region,
        "table": outputs["TableName"],
        "storefront_keys_table": outputs["StorefrontKeysTableName"],
        "queues": ending("QueueUrl"),
        "dead_letters": ending("DeadLettersUrl"),
        "functions": ending("FunctionName"),
        "project_keys_secret": outputs["ProjectKeysSecret"],
        "data_api_token_secret": outputs["DataApiTokenSecret"],
    }
    # These outputs exist only with the parameter Webhooks=true.
    webhooks = {
        "webhook_endpoints_table": "WebhookEndpointsTableName",
        "webhook_deliveries_table": "WebhookDeliveriesTableName",
        "webhook_secret": "WebhookSecret",
    }
    content |= {name: outputs[output] for name, output in webhooks.items() if output in outputs}
    return {"aws_endpoint": stage.endpoint, **content} if stage.endpoint else content


def address(stage, outputs):
    """Returns the address of the stack's API. On an emulator of AWS, the address is a path of the emulator."""
    if stage.endpoint:
        return f"{stage.endpoint}/_aws/execute-api/{outputs['ApiId']}/$default"
    return outputs["ApiUrl"]
