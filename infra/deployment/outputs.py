"""What a deployment writes about its stack, for the operator's tool and for the smoke test."""

import json
import os


def write(stage, stack):
    """Writes what the stack's outputs say, in one step, and gives it."""
    told = told_of(stage, stack)
    stage.file.parent.mkdir(parents=True, exist_ok=True)
    partial = stage.file.with_suffix(".partial")
    partial.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, stage.file)
    print(f"Wrote {os.path.relpath(stage.file)}")
    return told


def told_of(stage, stack):
    """What the stack's outputs say."""
    outputs = stack.outputs()

    def ending(end):
        """Of AuditQueueUrl, audit."""
        named = {name.removesuffix(end).lower(): value for name, value in outputs.items() if name.endswith(end)}
        return dict(sorted(named.items()))

    told = {
        "api": stage.endpoint and address(stage, outputs) or stack.parameter("PublicBaseUrl") or outputs["ApiUrl"],
        "region": stage.region,
        "table": outputs["TableName"],
        "queues": ending("QueueUrl"),
        "dead_letters": ending("DeadLettersUrl"),
        "functions": ending("FunctionName"),
        "project_keys_secret": outputs["ProjectKeysSecret"],
        "data_api_token_secret": outputs["DataApiTokenSecret"],
    }
    return {"aws_endpoint": stage.endpoint, **told} if stage.endpoint else told


def address(stage, outputs):
    """Where the stack's API itself answers; on an emulator that is a path of the emulator."""
    if stage.endpoint:
        return f"{stage.endpoint}/_aws/execute-api/{outputs['ApiId']}/$default"
    return outputs["ApiUrl"]
