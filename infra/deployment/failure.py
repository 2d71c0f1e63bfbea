"""What ends a command."""


class Failure(Exception):
    """A sentence for the user."""
