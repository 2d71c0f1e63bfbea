"""Prints the JSON that SAM makes of a template."""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://artefacts/" + resource["Properties"]["CodeUri"].rpartition("/")[2]
json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout)
