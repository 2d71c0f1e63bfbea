"""Defines the error that ends a script."""


class Failure(Exception):
    """A failure. Its message is for the user, and says what to do if the user can do something."""
