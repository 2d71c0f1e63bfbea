"""Prints lines for the user. AWS and the user's files choose parts of these lines."""

import unicodedata

# Letters and symbols that take up space and show nothing.
BLANK = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"


def visible(text):
    """Returns the text as one line of visible characters, so that it cannot control the terminal.

    Escapes control characters, line feeds, bidirectional controls, zero-width characters, combining marks and
    backslashes, so that two different texts never look the same.
    """
    return "".join(each if _is_visible(each) else _escaped(each) for each in text)


def say(line, file=None):
    """Prints one line."""
    print(visible(line), file=file, flush=True)


def _is_visible(character):
    if character == "\\" or character in BLANK:
        return False
    return character.isprintable() and not unicodedata.category(character).startswith("M")


def _escaped(character):
    short = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return short.get(character) or f"\\u{{{ord(character):x}}}"
