"""Headings: what stands above the columns of a table enters; by which name each column is read leaves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from libs.imports.findings import Finding, Unreadable
from libs.imports.values import folded

Resolve = Callable[[str], str | None]


@dataclass(frozen=True)
class Headings:
    """The name of each column, None where it is not read, and what is to be said of the file once."""

    names: list[str | None]
    findings: list[Finding]


def known_by(names: Iterable[str]) -> Resolve:
    """Headings that are known by their name, in whatever case."""
    by_folded = {folded(name): name for name in names}
    return by_folded.get


def match(heads: list[str], resolve: Resolve, *, all_known: bool) -> Headings:
    """Find each heading's name; raises Unreadable when two columns say the same.

    With `all_known` a heading that nobody knows is worth a notice.
    """
    names = [resolve(folded(head)) for head in heads]
    doubled = [head for head, name in zip(heads, names, strict=True) if name and names.count(name) > 1]
    if doubled:
        raise Unreadable("repeated_columns", columns=_listed(doubled))
    unknown = [head for head, name in zip(heads, names, strict=True) if name is None and head.strip()]
    findings = [Finding(None, "unknown_columns", None, "notice", {"columns": _listed(unknown)})]
    return Headings(names, findings if unknown and all_known else [])


def require(found: Headings, wanted: Iterable[str]) -> None:
    """Raise Unreadable when the file lacks a column."""
    missing = sorted(set(wanted).difference(name for name in found.names if name))
    if missing:
        heads = _listed([name for name in found.names if name])
        raise Unreadable("missing_columns", columns=_listed(missing), found=heads or "–")


def _listed(names: list[str]) -> str:
    return ", ".join(f"„{name.strip()[:80]}“" for name in names[:20])
