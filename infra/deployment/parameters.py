"""The parameters of the template: what a deployment gives them, and how it is told from others."""

import hashlib
import json

from samcli.yamlhelper import yaml_parse

# Tells one deployment from another.
RELEASE = "Release"


def defaults(template):
    """What each parameter of a template is if nobody says otherwise."""
    parameters = yaml_parse(template)["Parameters"]
    return {name: str(about.get("Default", "")) for name, about in parameters.items() if name != RELEASE}


def merged(template, kept, given):
    """What each parameter is to be: as given, or as it was, or its default."""
    known = defaults(template)
    return {name: given.get(name, kept.get(name, default)) for name, default in known.items()}


def unusual(template, parameters):
    """The parameters that are not what the template says, in lines."""
    known = defaults(template)
    return [f"{name}={value}" for name, value in sorted(parameters.items()) if value != known.get(name, value)]


def release(template, parameters, binaries):
    """A hash of all that is deployed; `binaries` are the paths by their names."""
    code = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in binaries.items()}
    everything = json.dumps([template, parameters, code], sort_keys=True)
    return hashlib.sha256(everything.encode()).hexdigest()
