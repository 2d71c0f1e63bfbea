"""Prints lines for the user. Parts of the lines come from AWS or from files, so they are escaped."""

import unicodedata

# Blank letters and symbols. Python counts them as printable.
BLANK = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"


def visible(text):
    """Returns the text as one line of visible characters, so that it cannot control the terminal.

    Escapes control characters, line feeds, bidirectional controls, zero-width characters, combining marks, and blank
    characters other than the space. Also escapes backslashes, so that no text can imitate an escape.
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
