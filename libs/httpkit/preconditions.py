"""Preconditions (RFC 9110): a thing's version leaves as its ETag and comes back as If-Match."""

import re
from typing import Annotated

from fastapi import Depends, Header

from libs.httpkit.problems import Problem

_ETAG = re.compile(r'^"(\d{1,15})"$')


def etag(version: int) -> dict[str, str]:
    """The header that names a thing's version."""
    return {"ETag": f'"{version}"'}


def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match", max_length=40, description="The ETag of the version that the caller has seen."
        ),
    ] = None,
) -> int:
    if if_match is None:
        raise Problem(
            428, "Precondition required", "Send If-Match with the ETag of the version you have seen."
        )
    match = _ETAG.match(if_match)
    if match is None:
        raise Problem(412, "Precondition failed", 'If-Match must be an ETag such as "3".')
    return int(match[1])


IfMatch = Annotated[int, Depends(_if_match)]
