"""The offers service answers as its API document says, whatever it is asked."""

from tests.conformance import complaints
from tests.offers.conftest import Offers


def test_answers_are_as_documented(lone: Offers) -> None:
    provider = lone.provider()
    offer = lone.draft(provider=provider, publish=True)
    order = lone.imported(b"key,title.de,fields.level\na,A,easy\nb,B,none\n", source="documented")
    lone.call("PUT", "/v1/boards/course/budgets/2026-27", {"amount_cents": 100_000}, "editor", version=0)
    known = {
        "provider_id": provider,
        "offer_id": offer,
        "import_id": order["id"],
        "slug": "course",
        "period": "2026-27",
        "name": "offers.offer.published.v1",
    }
    assert not complaints(lone.stack.url("offers"), lone.stack.headers("editor"), **known)
