"""What can be done with a stage. Each command ends well or with a `Failure`."""

from deployment import outputs, parameters, sam
from deployment.build import ARCHITECTURES, build
from deployment.failure import Failure
from deployment.releases import Releases
from deployment.smoke import smoke
from deployment.stack import Stack


def deploy(stage, options):
    """Builds, deploys, looks whether it works, and goes back if it does not."""
    stack, releases = Stack(stage), Releases(stage)
    stack.must_take_changes()
    if not options.no_build and not options.binaries:
        build(_architecture(stage, stack))
    before = stack.deployed()
    sam.deploy(stage, before.parameters if before else {}, options.binaries)
    if stage.protected:
        stack.protect()
    after = stack.deployed()
    _tell_deployed(stage, before, after)
    outputs.write(stage, stack)
    problems = _smoke(stage, stack, options)
    if not problems:
        releases.keep(after)
        print(f"{stage.stack} is deployed and works")
        return
    _tell(problems)
    _go_back(stage, options, stack, releases, before, after)


def _go_back(stage, options, stack, releases, before, after):
    """Goes back to the last release that passed, after a deployment that did not."""
    release = releases.current()
    _must_be_another(stage, release, before, after)
    back = f"{stage.stack} is again what it was before this deployment"
    if release.deployed != before:
        print("What was deployed before has not passed the smoke test, so it is not what we go back to")
        back = f"{stage.stack} is again the last release that passed, that of {release.name}"
    print(f"The smoke test failed; going back to the release of {release.name}", flush=True)
    stack.update(releases.address(release.deployed), release.deployed.parameters)
    outputs.write(stage, stack)
    problems = _smoke(stage, stack, options)
    if problems:
        _tell(problems)
        raise Failure(f"The smoke test failed. {back}, but fails the smoke test now too.")
    raise Failure(f"The smoke test failed. {back}, and works.")


def _must_be_another(stage, release, before, after):
    """Fails where there is nothing to go back to from what was just deployed."""
    left = f"so there is nothing to go back to: {stage.stack} is left as it is, to be looked into."
    if before is None:
        raise Failure(f"The smoke test failed. This was the first deployment, {left}")
    if before == after:
        raise Failure("The smoke test failed. The deployment had changed nothing, so there is nothing to go back to.")
    if release is None or release.deployed == after:
        raise Failure(f"The smoke test failed. No other release has passed it, {left}")


def test(stage, options):
    """Looks whether what is deployed works."""
    stack = Stack(stage)
    stack.must_exist()
    _must_work(stage, smoke(stage, stack, options.patience))


def _must_work(stage, problems):
    if problems:
        _tell(problems)
        raise Failure("The smoke test failed.")
    print(f"{stage.stack} works")


def roll_back(stage, options):
    """Goes back to the release before the one that is deployed."""
    stack, releases = Stack(stage), Releases(stage)
    stack.must_exist()
    stack.must_take_changes()
    release = releases.before(stack.deployed())
    print(f"Going back to the release of {release.name}", flush=True)
    stack.update(releases.address(release.deployed), release.deployed.parameters)
    releases.make_current(release.name)
    outputs.write(stage, stack)
    _must_work(stage, _smoke(stage, stack, options))


def write_outputs(stage, _options):
    """Writes the file for the operator's tool again."""
    outputs.write(stage, Stack(stage))


def delete(stage, options):
    """Deletes the stack, its packages and releases, and tells what stays. Can be run again if it was interrupted."""
    stack, releases = Stack(stage), Releases(stage)
    stack.must_be_deletable()
    if not options.yes:
        _ask(stage)
    if stack.state() is None:
        print(f"There is no stack {stage.stack}; its packages and releases are removed, as far as there are any")
    else:
        kept = stack.delete()
        print(f"{stage.stack} is deleted")
        _tell_kept(kept)
    stage.file.unlink(missing_ok=True)
    releases.forget()
    print(f"The artefact bucket {releases.bucket()} stays: all stacks of this account share it")


def _tell_kept(kept):
    lines = [line for kind, name in kept for line in _removal(kind, name)]
    if lines:
        print("Kept on purpose; whoever is sure removes them with")
    for line in lines:
        print(f"  {line}")


def _ask(stage):
    print(
        f"This deletes {stage.stack} in {stage.region}: its API, functions, logs, queues with their events, and the "
        "secrets with the projects' keys and the Data API's token. Payments stay."
    )
    try:
        answer = input("Type the stack's name to go on: ")
    except EOFError:
        answer = ""
    if answer.strip() != stage.stack:
        raise Failure("Nothing was deleted.")


def _removal(kind, name):
    if kind == "AWS::DynamoDB::Table":
        return [
            f"aws dynamodb update-table --table-name {name} --no-deletion-protection-enabled",
            f"aws dynamodb delete-table --table-name {name}",
        ]
    if kind == "AWS::SecretsManager::Secret":
        return [f"aws secretsmanager delete-secret --secret-id {name}"]
    # Versions of functions, which go with their functions.
    return []


def _architecture(stage, stack):
    given = stage.parameters.get("Architecture") or (stack.state() and stack.parameter("Architecture"))
    return given or next(iter(ARCHITECTURES))


def _smoke(stage, stack, options):
    """The smoke test of what was just deployed."""
    try:
        return smoke(stage, stack, options.patience)
    except KeyboardInterrupt as interrupt:
        raise Failure(f"Interrupted. {stage.stack} is deployed, not tested: run smoke or rollback.") from interrupt


def _tell_deployed(stage, before, after):
    """What is unlike the template's defaults, also what only stayed from earlier deployments."""
    if after == before:
        print(f"Nothing has changed in {stage.stack}")
    lines = parameters.unusual(after.template, after.parameters)
    print("Deployed with" if lines else "Deployed with the template's defaults")
    for line in lines:
        print(f"  {line}")


def _tell(problems):
    for problem in problems:
        print(f"- {problem}")
