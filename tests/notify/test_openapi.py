"""Notify answers as its API document says, whatever it is asked."""

from schemathesis import GenerationMode

from tests.conformance.documented import complaints, in_each_mode
from tests.notify.conftest import Notify


@in_each_mode
def test_notify_answers_as_documented(lone: Notify, mode: GenerationMode) -> None:
    headers = lone.stack.headers("operator", "editor", "partner")
    known = {"name": "booking-approved"}
    found = complaints(lone.stack.url("notify"), headers, mode, **known)
    assert not found, "\n\n".join(f"{name}\n{said[:600]}" for name, said in found.items())
    lone.stack.wait_ready("notify")
