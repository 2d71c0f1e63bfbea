#!/usr/bin/env python3
"""Builds the functions and deploys them into an AWS account, or into an emulator of AWS if AWS_ENDPOINT_URL is set.

Needs Rust and Python 3.10 or newer. Installs pinned versions of everything else into `.tools`, which Git ignores.
Reads the credentials and the region from the usual AWS variables or from a profile.
"""

import argparse
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed.")

# These modules use only the standard library. `main` imports the modules that need the installed packages.
from deployment.build import ARCHITECTURES, build  # noqa: E402
from deployment.package import package, version  # noqa: E402
from tools.failure import Failure  # noqa: E402
from tools.install import install  # noqa: E402
from tools.output import say, visible  # noqa: E402
from tools.supervise import interruptible  # noqa: E402

PACKAGES = Path(__file__).resolve().parent / "deployment/sam.txt"
DEFAULT_PATIENCE_SECONDS = 30


def arguments():
    """Parses the command line."""
    line = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = line.add_subparsers(dest="command", required=True, metavar="COMMAND")

    target = argparse.ArgumentParser(add_help=False)
    target.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64", help="default: %(default)s")
    commands.add_parser(
        "build", parents=[target], help="build the functions into target/lambda and check their sizes"
    )  # fmt: skip
    commands.add_parser(
        "package", parents=[target],
        help="build the functions and the operator's tool, and write their archive and its checksum into target/package",
    )  # fmt: skip
    commands.add_parser("version", help="print the version of the project")
    commands.add_parser("validate", help="check the template against the rules of AWS, without an account")

    stage = argparse.ArgumentParser(add_help=False)
    stage.add_argument("stage", metavar="STAGE", help="a stage of infra/samconfig.toml: dev or prod")
    stage.add_argument("--stack", metavar="NAME", help="the name of the stack; by default the stack of the stage")
    stage.add_argument("--deployed", metavar="FOLDER", help=argparse.SUPPRESS)
    smoke = argparse.ArgumentParser(add_help=False)
    smoke.add_argument(
        "--patience", metavar="SECONDS", type=float, default=DEFAULT_PATIENCE_SECONDS,
        help="how long the smoke test repeats a failing check; default: %(default)s",
    )  # fmt: skip

    command = commands.add_parser(
        "deploy", parents=[stage, smoke],
        help="build, deploy, write .deployed/<stack>.json and run the smoke test; roll back if the test fails",
    )  # fmt: skip
    command.add_argument(
        "--parameter", metavar="NAME=VALUE", action="append", default=[], dest="parameters",
        help="a value for a parameter of the template, instead of the stage's value; repeatable. A parameter that neither "
        "this option nor the stage sets keeps its value",
    )  # fmt: skip
    command.add_argument("--no-build", action="store_true", help="deploy the last build instead of building again")
    command.add_argument(
        "--binaries", metavar="FOLDER", help="deploy the binaries <name>/bootstrap of this folder, without a build"
    )
    commands.add_parser("smoke", parents=[stage, smoke], help="run the smoke test, which changes nothing")
    commands.add_parser(
        "rollback", parents=[stage, smoke], help="deploy the previous release again and run the smoke test"
    )
    commands.add_parser("outputs", parents=[stage], help="write .deployed/<stack>.json again, without a deployment")
    command = commands.add_parser("delete", parents=[stage], help="delete the stack, and list the data that remains")
    command.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return line.parse_args()


def main():
    """Runs the command."""
    interruptible()
    options = arguments()
    if options.command in ("build", "package"):
        {"build": build, "package": package}[options.command](options.architecture)
        return
    if options.command == "version":
        say(version())
        return
    run_in(install(PACKAGES))
    from deployment import commands, sam
    from deployment.stages import Stage

    if options.command == "validate":
        sam.validate()
        return
    run = {
        "deploy": commands.deploy,
        "smoke": commands.test,
        "rollback": commands.roll_back,
        "outputs": commands.write_outputs,
        "delete": commands.delete,
    }[options.command]
    stage = Stage(options.stage, options.stack, getattr(options, "parameters", ()), options.deployed)
    try:
        run(stage, options)
    except KeyboardInterrupt as interrupt:
        raise Failure("Interrupted. CloudFormation finishes a change that it has started.") from interrupt


def run_in(environment):
    """Starts this script again with the environment's Python, unless it already runs with this Python."""
    if Path(sys.prefix).resolve() != environment.resolve():
        python = environment / "bin/python"
        os.execv(python, [python, "-E", "-s", __file__, *sys.argv[1:]])


def sentence(error):
    """Returns the message of an SDK error on one line."""
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(visible(str(failure)))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except Exception as error:
        if not type(error).__module__.startswith("botocore"):
            raise
        sys.exit(visible(sentence(error)))
