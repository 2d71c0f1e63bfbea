"""What can be done with a stage. Each command ends well or with a `Failure`."""

from deployment import outputs, sam
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
    sam.deploy(stage, options.binaries)
    after = stack.deployed()
    if after == before:
        print(f"Nothing has changed in {stage.stack}")
    outputs.write(stage, stack)
    problems = smoke(stage, stack, options.patience)
    if not problems:
        releases.keep(after)
        print(f"{stage.stack} is deployed and works")
        return
    _tell(problems)
    if before is None:
        raise Failure(
            f"The smoke test failed. This was the first deployment, so there is nothing to go back to: {stage.stack} "
            "is left as it is, to be looked into."
        )
    if before == after:
        raise Failure("The smoke test failed. The deployment had changed nothing, so there is nothing to go back to.")
    print("The smoke test failed; going back to what was deployed before", flush=True)
    stack.update(releases.address(before), before.parameters)
    outputs.write(stage, stack)
    raise Failure(f"The smoke test failed. {stage.stack} is again what it was before this deployment.")


def test(stage, options):
    """Looks whether what is deployed works."""
    stack = Stack(stage)
    stack.must_exist()
    problems = smoke(stage, stack, options.patience)
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
    test(stage, options)


def write_outputs(stage, _options):
    """Writes the file for the operator's tool again."""
    outputs.write(stage, Stack(stage))


def delete(stage, options):
    """Deletes the stack, its packages and releases, and tells what stays."""
    stack, releases = Stack(stage), Releases(stage)
    stack.must_exist()
    if not options.yes:
        _ask(stage)
    kept = stack.delete()
    stage.file.unlink(missing_ok=True)
    print(f"{stage.stack} is deleted")
    if kept:
        print("Kept on purpose; whoever is sure removes them with")
    for kind, name in kept:
        for line in _removal(kind, name):
            print(f"  {line}")
    releases.forget()
    print(f"The artefact bucket {releases.bucket()} stays too: all stacks of this account share it")


def _ask(stage):
    print(
        f"This deletes {stage.stack} in {stage.region}: its API, functions, queues with their events, and the secrets "
        "with the projects' keys and the Data API's token. Payments stay."
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
    return [f"({kind} {name})"]


def _architecture(stage, stack):
    given = stage.parameters.get("Architecture") or (stack.state() and stack.parameter("Architecture"))
    return given or next(iter(ARCHITECTURES))


def _tell(problems):
    for problem in problems:
        print(f"- {problem}")
