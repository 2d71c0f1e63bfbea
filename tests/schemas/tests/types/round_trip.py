"""Reads each sample with the types that datamodel-code-generator made, writes it again, and compares both.

    python3 round_trip.py TYPES SAMPLES
"""

import json
import sys
from pathlib import Path

types, samples = map(Path, sys.argv[1:])
sys.path.insert(0, str(types.parent))
events = __import__(types.stem)

# The types of the payment's fields are checked separately, because a field without a type would also survive the round
# trip.
FIELDS = {
    "payment_id": str,
    "status": events.PaymentStatus,
    "sequence": int,
    "paid_amount": int,
    "refunded_amount": int,
    "refundable_amount": int,
    "operations": list,
    "refunds": list,
}

for path in samples.iterdir():
    sample = json.loads(path.read_text(encoding="utf-8"))
    event = events.Event.model_validate(sample).root
    name = "".join(word.capitalize() for word in sample["type"].replace(".", "_").split("_"))
    assert type(event).__name__ == name, path
    for field, kind in FIELDS.items():
        assert type(getattr(event.data, field)) is kind, (path, field)
    assert all(type(operation) is events.Operation for operation in event.data.operations), path
    assert all(type(refund) is events.Refund for refund in event.data.refunds), path
    written = json.loads(event.model_dump_json(exclude_unset=True))
    assert written == sample, (path, written)
