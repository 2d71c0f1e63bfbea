"""The parameters of the template: what a deployment gives them, and how it is told from others."""

import hashlib
import json
import re

from samcli.yamlhelper import yaml_parse

# Properties of a function that are no part of its versions. Lambda refuses a version that is like the last one, so what
# changes only these must not ask for one.
UNVERSIONED = {
    "AutoPublishAlias",
    "AutoPublishCodeSha256",
    "CodeUri",
    "ProvisionedConcurrencyConfig",
    "ReservedConcurrentExecutions",
}


def defaults(template):
    """What each parameter of a template is if nobody says otherwise; without those that tell a release."""
    parameters = yaml_parse(template)["Parameters"]
    return {name: str(about.get("Default", "")) for name, about in parameters.items() if not name.endswith("Release")}


def merged(template, kept, given):
    """What each parameter is to be: as given, or as it was, or its default."""
    known = defaults(template)
    return {name: given.get(name, kept.get(name, default)) for name, default in known.items()}


def unusual(template, parameters):
    """The parameters that are not what the template says, in lines."""
    known = defaults(template)
    return [f"{name}={value}" for name, value in sorted(parameters.items()) if value != known.get(name, value)]


def releases(template, parameters, binaries):
    """The parameters that tell a release, as hashes; `binaries` are the paths by their names.

    One that functions publish their versions by tells what these functions are made of; any other one tells all that is
    deployed.
    """
    code = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in binaries.items()}
    read = yaml_parse(template)
    found = {}
    for name in read["Parameters"]:
        if name.endswith("Release"):
            functions = _published_by(read, name)
            made_of = [_made_of(read, function, parameters, code) for function in functions]
            found[name] = _hash(made_of or [template, parameters, code])
    return found


def _published_by(template, parameter):
    resources = template["Resources"].values()
    functions = [one for one in resources if one["Type"] == "AWS::Serverless::Function"]
    return [one for one in functions if one["Properties"].get("AutoPublishCodeSha256") == {"Ref": parameter}]


def _made_of(template, function, parameters, code):
    """Its code, its properties, and the parameters that these name, by way of conditions too."""
    ignored = function.get("IgnoreGlobals", [])
    common = template.get("Globals", {}).get("Function", {})
    common = {name: value for name, value in common.items() if ignored != "*" and name not in ignored}
    own = {name: value for name, value in function["Properties"].items() if name not in UNVERSIONED}
    text = json.dumps([common, own], sort_keys=True)
    conditions = [one for name, one in template.get("Conditions", {}).items() if _names(text, name)]
    text += json.dumps(conditions, sort_keys=True)
    given = {name: value for name, value in parameters.items() if _names(text, name)}
    return [code[function["Properties"]["CodeUri"].rsplit("/", 1)[-1]], text, given]


def _names(text, name):
    return re.search(rf"\b{name}\b", text) is not None


def _hash(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
