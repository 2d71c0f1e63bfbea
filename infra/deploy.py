#!/usr/bin/env python3
"""Builds the functions and deploys them, into an AWS account or, with AWS_ENDPOINT_URL, into an emulator of AWS.

Needs Rust and Python 3.10 or newer. Everything else it installs itself, pinned, into the ignored folder `.tools`.
Credentials and region come from the usual AWS variables or profile.
"""

import argparse
import os
import sys
from pathlib import Path

# Only the standard library up to here and below: the rest comes with the environment.
sys.dont_write_bytecode = True
if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed.")

from deployment import processes  # noqa: E402
from deployment.build import ARCHITECTURES, build  # noqa: E402
from deployment.environment import environment  # noqa: E402
from deployment.failure import Failure  # noqa: E402

PATIENCE_SECONDS = 30


def arguments():
    """The command line."""
    line = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = line.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("build", help="build the functions into target/lambda and check their sizes")
    one.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64", help="default: %(default)s")
    commands.add_parser("install", help="install what the commands below need; they do so by themselves too")
    commands.add_parser("validate", help="hold the template against what AWS takes, without an account")

    stage = argparse.ArgumentParser(add_help=False)
    stage.add_argument("stage", metavar="STAGE", help="a stage of infra/samconfig.toml: dev or prod")
    stage.add_argument("--stack", metavar="NAME", help="the stack's name, instead of the stage's")
    stage.add_argument("--deployed", metavar="FOLDER", help=argparse.SUPPRESS)
    smoke = argparse.ArgumentParser(add_help=False)
    smoke.add_argument(
        "--patience", metavar="SECONDS", type=float, default=PATIENCE_SECONDS,
        help="how long the smoke test waits for what does not work at once; default: %(default)s",
    )  # fmt: skip

    one = commands.add_parser(
        "deploy", parents=[stage, smoke],
        help="build, deploy, write .deployed/<stack>.json, and test; go back if the test fails",
    )  # fmt: skip
    one.add_argument(
        "--parameter", metavar="NAME=VALUE", action="append", default=[], dest="parameters",
        help="a parameter of the template, instead of the stage's; can be repeated. What neither names stays as it was",
    )  # fmt: skip
    one.add_argument("--no-build", action="store_true", help="deploy what was built last")
    one.add_argument(
        "--binaries", metavar="FOLDER", help="deploy the binaries of this folder, <name>/bootstrap each; builds nothing"
    )
    commands.add_parser("smoke", parents=[stage, smoke], help="test what is deployed, without changing anything")
    commands.add_parser(
        "rollback", parents=[stage, smoke], help="go back to the release before the one that is deployed, and test"
    )
    commands.add_parser("outputs", parents=[stage], help="write .deployed/<stack>.json again")
    one = commands.add_parser("delete", parents=[stage], help="delete the stack after asking; tells what stays")
    one.add_argument("--yes", action="store_true", help="do not ask")
    return line.parse_args()


def main():
    processes.interruptible()
    options = arguments()
    if options.command == "build":
        build(options.architecture)
        return
    home = environment("sam")
    if options.command == "install":
        return
    inside(home)
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
        raise Failure("Interrupted. What CloudFormation has begun, it ends by itself.") from interrupt


def inside(home):
    """Starts again as the environment's own Python, unless this is it already."""
    if Path(sys.prefix).resolve() != home.resolve():
        python = home / "bin/python"
        os.execv(python, [python, "-E", "-s", __file__, *sys.argv[1:]])


def told(error):
    """A sentence, also where the SDK has no better one."""
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except Exception as error:
        if not type(error).__module__.startswith("botocore"):
            raise
        sys.exit(told(error))
