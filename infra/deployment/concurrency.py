"""Checks whether the account has enough concurrency for the functions of a stack."""

from tools.failure import Failure

# Lambda refuses a reservation that leaves fewer executions than this to the functions without a reservation.
MINIMUM_UNRESERVED = 100


def must_suffice(client, functions, current, planned):
    """Fails if the account cannot reserve the executions of a deployment. The message names the parameters to change.

    `functions` has the properties of each function in the template. `current` has the parameters of the deployed stack,
    and `planned` the parameters of the next deployment.
    """
    before, after = reserved(functions, current), reserved(functions, planned)
    more = sum(after.values()) - sum(before.values())
    if more <= 0:
        return
    limit = client.get_account_settings()["AccountLimit"]
    unreserved = limit["UnreservedConcurrentExecutions"]
    free = max(unreserved - MINIMUM_UNRESERVED, 0)
    if more > free:
        listed = ", ".join(f"{name}={value}" for name, value in sorted(after.items()) if value)
        raise Failure(
            f"The account has too little concurrency: this deployment reserves {more} more executions ({listed}), and "
            f"the account can reserve {free} more. The account's limit is "
            f"{limit['ConcurrentExecutions']} executions. {unreserved} of them are not reserved, and Lambda keeps "
            f"{MINIMUM_UNRESERVED} unreserved. Lower these parameters (0 reserves nothing), or ask AWS to raise the "
            "Lambda quota Concurrent executions. Nothing was changed."
        )


def reserved(functions, parameters):
    """Returns the executions that each parameter takes from the account.

    If a function has reserved concurrency, its provisioned concurrency is a part of the reserved concurrency.
    """
    taken = {}
    for properties in functions:
        for name in ("ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig"):
            parameter = _parameter(properties.get(name), parameters)
            number = int(float(parameters[parameter])) if parameter else 0
            if number:
                taken[parameter] = number
                break
    return taken


def _parameter(value, parameters):
    """Returns the first parameter to which a value of the template refers, or None."""
    if isinstance(value, dict):
        if value.get("Ref") in parameters:
            return value["Ref"]
        value = list(value.values())
    if isinstance(value, list):
        return next(filter(None, (_parameter(each, parameters) for each in value)), None)
    return None
