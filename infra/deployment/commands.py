"""Runs the commands of `deploy.py` on a stage. If a command fails, it raises a `Failure`."""

from deployment import concurrency, outputs, parameters, sam
from deployment.build import ARCHITECTURES, TEMPLATE, build
from deployment.releases import Releases
from deployment.smoke import smoke
from deployment.stack import Stack
from tools.failure import Failure
from tools.output import say


def deploy(stage, options):
    """Builds and deploys the functions, and runs the smoke test. Rolls back if the smoke test fails."""
    stack, releases = Stack(stage), Releases(stage)
    stack.must_take_changes()
    before = stack.deployed()
    _must_have_concurrency(stage, before)
    if not options.no_build and not options.binaries:
        build(_architecture(stage, stack))
    sam.deploy(stage, before.parameters if before else {}, options.binaries)
    if stage.protected:
        stack.protect()
    after = stack.deployed()
    _print_parameters(stage, before, after)
    outputs.write(stage, stack)
    problems = _smoke(stage, stack, options)
    if not problems:
        releases.add(after)
        say(f"{stage.stack} is deployed and works")
        return
    _print_problems(problems)
    if before and before.parameters.get("Release") == after.parameters["Release"]:
        raise Failure(f"The smoke test failed. {stage.stack} has the same release as before, and stays as it is.")
    say("The smoke test failed")
    roll_back(stage, options)
    raise Failure("The smoke test failed, and the previous release is deployed again.")


def _must_have_concurrency(stage, before):
    text = TEMPLATE.read_text(encoding="utf-8")
    current = before.parameters if before else {}
    planned = parameters.merged(text, current, stage.parameters)
    functions = parameters.functions(text)
    # The first deployment has no current parameters, and its functions reserve nothing yet.
    current = {name: current.get(name, 0) for name in planned}
    concurrency.must_suffice(stage.client("lambda"), functions, current, planned)


def test(stage, options):
    """Runs the smoke test without a deployment."""
    stack = Stack(stage)
    stack.must_exist()
    _must_work(stage, smoke(stage, stack, options.patience))


def _must_work(stage, problems):
    if problems:
        _print_problems(problems)
        raise Failure("The smoke test failed.")
    say(f"{stage.stack} works")


def roll_back(stage, options):
    """Deploys the previous release and runs the smoke test."""
    stack = Stack(stage)
    stack.must_exist()
    stack.must_take_changes()
    name, release = Releases(stage).before(stack.parameter("Release") or "none")
    say(f"Rolling back to the release {name}")
    sam.deploy_again(stage, name, release)
    outputs.write(stage, stack)
    _must_work(stage, _smoke(stage, stack, options))


def write_outputs(stage, _options):
    """Writes the file for the operator's tool again."""
    outputs.write(stage, Stack(stage))


def delete(stage, options):
    """Deletes the stack, its packages and its releases, and prints what remains. Can be repeated."""
    stack, releases = Stack(stage), Releases(stage)
    stack.must_be_deletable()
    if not options.yes:
        _confirm(stage)
    if stack.state() is None:
        say(f"There is no stack {stage.stack}; deleting its packages and releases, if any")
    else:
        retained = stack.delete()
        say(f"{stage.stack} is deleted")
        _print_retained(retained)
    outputs.file(stage).unlink(missing_ok=True)
    releases.delete()
    say(f"The artefact bucket {releases.bucket()} remains: all stacks of this account and region share it")


def _confirm(stage):
    say(
        f"This deletes {stage.stack} in {stage.region}: its API, functions, logs, queues with their events, and the "
        "secrets with the projects' keys and the Data API's token. The tables remain."
    )
    try:
        answer = input("Type the name of the stack to continue: ")
    except EOFError:
        answer = ""
    if answer.strip() != stage.stack:
        raise Failure("Nothing was deleted.")


def _print_retained(resources):
    lines = [line for kind, name in resources for line in _deletion(kind, name)]
    if lines:
        say("Some data remains on purpose. These commands delete it:")
    for line in lines:
        say(f"  {line}")


def _deletion(kind, name):
    if kind == "AWS::DynamoDB::Table":
        return [
            f"aws dynamodb update-table --table-name {name} --no-deletion-protection-enabled",
            f"aws dynamodb delete-table --table-name {name}",
        ]
    if kind == "AWS::SecretsManager::Secret":
        return [f"aws secretsmanager delete-secret --secret-id {name}"]
    # Every other retained resource is a version of a function. Lambda deleted this version with the function.
    return []


def _architecture(stage, stack):
    given = stage.parameters.get("Architecture") or (stack.state() and stack.parameter("Architecture"))
    return given or next(iter(ARCHITECTURES))


def _smoke(stage, stack, options):
    """Runs the smoke test after a deployment."""
    try:
        return smoke(stage, stack, options.patience)
    except KeyboardInterrupt as interrupt:
        raise Failure(f"Interrupted. {stage.stack} is deployed but not tested: run smoke or rollback.") from interrupt


def _print_parameters(stage, before, after):
    """Prints the parameters whose values differ from the template's defaults, also those that an earlier run set."""
    if after == before:
        say(f"Nothing has changed in {stage.stack}")
    lines = parameters.unusual(after.template, after.parameters)
    say("Deployed with" if lines else "Deployed with the template's defaults")
    for line in lines:
        say(f"  {line}")


def _print_problems(problems):
    for problem in problems:
        say(f"- {problem}")
