"""Computes the values of the template's parameters in a deployment."""

from samcli.yamlhelper import yaml_parse


def defaults(template):
    """Returns the default of each parameter except `Release`."""
    parameters = yaml_parse(template)["Parameters"].items()
    return {name: str(each.get("Default", "")) for name, each in parameters if name != "Release"}


def merged(template, current, given):
    """Returns a value for each parameter: the given value, else the current value, else the default."""
    known = defaults(template)
    return {name: given.get(name, current.get(name, default)) for name, default in known.items()}


def functions(template):
    """Returns the properties of each function."""
    resources = yaml_parse(template)["Resources"].values()
    return [each["Properties"] for each in resources if each["Type"] == "AWS::Serverless::Function"]


def unusual(template, parameters):
    """Returns a line for each parameter whose value is not its default."""
    known = defaults(template)
    return [f"{name}={value}" for name, value in sorted(parameters.items()) if value != known.get(name, value)]
