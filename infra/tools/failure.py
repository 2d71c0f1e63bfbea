"""Defines the error that ends a command."""


class Failure(Exception):
    """A sentence for the user, with the remedy if there is one."""
