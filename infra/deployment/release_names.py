"""Makes and compares the names of releases.

The name of a release has two parts: the time of its first deployment in seconds, and a hash of its content. If the
release is deployed again, the time of the new deployment stands before this name:

    1796032800-0123456789abcdef
    1796040000-1796032800-0123456789abcdef

Each deployment needs a name of its own, because each version of a function contains the name, and Lambda refuses to
publish a version that equals the last version. SAM names the version after the first ten characters: the time.
"""

import hashlib
import json
import re
import time

# The versions of the functions behind the API do not depend on these parameters. A change of only these parameters is
# no new release, and does not publish versions.
UNVERSIONED = re.compile("(Concurrency|Provisioned|Rate|Warning)$|^(AlarmEmail|Deployment|LogRetentionDays|RunbookUrl)$")


def name_of(template, parameters, binaries, current):
    """Returns the name of the release with this template, these parameters and these binaries.

    `binaries` maps the name of each binary to its content. If the release `current` has the same content, returns
    `current`.
    """
    code = {name: hashlib.sha256(binary).hexdigest() for name, binary in binaries.items()}
    versioned = {name: value for name, value in parameters.items() if not UNVERSIONED.search(name)}
    text = json.dumps([template, versioned, code], sort_keys=True)
    found = hashlib.sha256(text.encode()).hexdigest()[:16]
    return current if content(current) == found else deployed_now(found)


def deployed_now(name):
    """Returns the name for a deployment at the present time. `name` is the hash or the original name of the release."""
    return f"{int(time.time())}-{name}"


def original(name):
    """Returns the name of a release at its first deployment."""
    return "-".join(name.split("-")[-2:])


def content(name):
    """Returns the hash of the content of a release."""
    return name.rpartition("-")[2]


def before(name, names):
    """Returns the newest of the `names` that is older than `name` and has other content, or None if there is none."""
    earlier = [each for each in names if each < original(name) and content(each) != content(name)]
    return max(earlier, default=None)
