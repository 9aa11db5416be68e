"""NATS subjects as values: patterns with `*` (one token) and `>` (all that follow), and the broker's transforms."""

import re

WILDCARD = re.compile(r"\{\{wildcard\((\d+)\)\}\}")


def covers(pattern: str, subject: str) -> bool:
    """Whether everything that `subject`, itself perhaps a pattern, stands for falls under `pattern`."""
    wide, narrow = pattern.split("."), subject.split(".")
    for position, word in enumerate(wide):
        if word == ">":
            return len(narrow) > position
        if position == len(narrow) or narrow[position] == ">" or word not in ("*", narrow[position]):
            return False
    return len(wide) == len(narrow)


def transformed(subject: str, transform: tuple[str, str]) -> str:
    """The subject under which a sourcing stream keeps a message; ValueError if it would not take it."""
    source, target = transform
    if not covers(source, subject):
        raise ValueError(f"{subject} is not {source}")
    pairs = zip(source.split("."), subject.split("."), strict=True)
    caught = [word for wildcard, word in pairs if wildcard == "*"]
    return WILDCARD.sub(lambda match: caught[int(match[1]) - 1], target)
