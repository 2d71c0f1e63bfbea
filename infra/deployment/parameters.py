"""Computes the values of the template's parameters in a deployment, and the hashes that identify a release."""

import hashlib
import json
import re

from samcli.yamlhelper import yaml_parse

# The properties that a version of a function does not contain. If only these properties change, no version may be
# published, because Lambda refuses a version that equals the last version.
UNVERSIONED = {
    "AutoPublishAlias",
    "AutoPublishCodeSha256",
    "CodeUri",
    "ProvisionedConcurrencyConfig",
    "ReservedConcurrentExecutions",
}


def defaults(template):
    """Returns the default of each parameter, except for the parameters that identify a release."""
    parameters = yaml_parse(template)["Parameters"].items()
    return {name: str(each.get("Default", "")) for name, each in parameters if not name.endswith("Release")}


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


def releases(template, parameters, binaries):
    """Returns the parameters that identify a release. The value of each parameter is a hash.

    If functions refer to the parameter in `AutoPublishCodeSha256`, its hash covers these functions. Otherwise the hash
    covers the template, all parameters and all binaries. `binaries` maps the name of each binary to its path.
    """
    code = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in binaries.items()}
    parsed = yaml_parse(template)
    found = {}
    for name in parsed["Parameters"]:
        if name.endswith("Release"):
            functions = _published_by(parsed, name)
            contents = [_content(parsed, function, parameters, code) for function in functions]
            found[name] = _hash(contents or [template, parameters, code])
    return found


def _published_by(template, parameter):
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    return [each for each in functions if each["Properties"].get("AutoPublishCodeSha256") == {"Ref": parameter}]


def _content(template, function, parameters, code):
    """Returns what determines a version of a function.

    The list has three elements: the hash of the code, a text with the properties and the conditions that they name, and
    the parameters that this text names.
    """
    ignored = function.get("IgnoreGlobals", [])
    common = template.get("Globals", {}).get("Function", {})
    common = {name: value for name, value in common.items() if ignored != "*" and name not in ignored}
    own = {name: value for name, value in function["Properties"].items() if name not in UNVERSIONED}
    text = json.dumps([common, own], sort_keys=True)
    conditions = [condition for name, condition in template.get("Conditions", {}).items() if _names(text, name)]
    text += json.dumps(conditions, sort_keys=True)
    named = {name: value for name, value in parameters.items() if _names(text, name)}
    return [code[function["Properties"]["CodeUri"].rsplit("/", 1)[-1]], text, named]


def _names(text, name):
    return re.search(rf"\b{name}\b", text) is not None


def _hash(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
