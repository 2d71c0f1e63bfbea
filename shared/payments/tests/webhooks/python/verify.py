"""Verifies deliveries with the official library: `verify.py DELIVERIES`. Prints a JSON list with true or false for each."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def accepts(delivery):
    """Returns whether the library accepts a delivery."""
    try:
        Webhook(delivery["secret"]).verify(delivery["body"], delivery["headers"])
    except WebhookVerificationError:
        return False
    return True


print(json.dumps([accepts(delivery) for delivery in json.loads(sys.argv[1])]))
