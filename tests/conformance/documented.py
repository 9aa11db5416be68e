"""A service against its own API document: invented requests, good and bad, and answers as the document says."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 5
ENDLESS = ["/v1/stream"]  # its answer does not end
PATIENCE_SECONDS = 60
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# A mail is bytes like any other.
schemathesis.serializer.alias("message/rfc822", "text/plain")
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
in_each_mode = pytest.mark.parametrize("mode", MODES, ids=[mode.value for mode in MODES])


def complaints(url: str, headers: Mapping[str, str], mode: GenerationMode, **known: str) -> dict[str, str]:
    """Every operation that answered otherwise than documented, and how; `known` names things that are there."""
    found = {}
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for result in document.exclude(path=ENDLESS).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        try:
            with suppress(Unsatisfiable):  # without parameters nothing can be wrong
                explore(operation, mode, headers, known)
        except AssertionError as failure:
            found[operation.label] = str(failure)
        except BaseExceptionGroup as failures:
            found[operation.label] = "\n".join(str(each) for each in failures.exceptions)
    return found


def explore(
    operation: Any, mode: GenerationMode, headers: Mapping[str, str], known: Mapping[str, str]
) -> None:
    """Try one operation with requests that fit its document, or that do not."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters = {
                name: known.get(name, value) for name, value in case.path_parameters.items()
            }
        case.call_and_validate(headers=dict(headers), checks=CHECKS, timeout=PATIENCE_SECONDS)

    each()
