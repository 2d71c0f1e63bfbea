"""Prints the JSON that SAM makes of a template. The further arguments are parameters: NAME=VALUE."""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """Replaces SAM's list of the managed policies of AWS, because the template uses none of these policies."""

    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
# SAM accepts only packages in S3, so each function gets an address in S3 that ends with the name of its binary.
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://artefacts/" + resource["Properties"]["CodeUri"].rpartition("/")[2]
parameters = dict(argument.split("=", 1) for argument in sys.argv[2:])
json.dump(transform(template, parameters, NoManagedPolicies()), sys.stdout)
