"""Whatever takes a recipient id takes its proof: without one a recipient of notify's is nobody's to name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module, reload
from typing import Any

import pytest
from fastapi.testclient import TestClient
from uuid_utils import uuid7

from cli import keys
from cli.home import Home
from libs.httpkit import recipients
from libs.servicekit.kit import Kit
from tests.waiting import until

THING = str(uuid7())
WISHES = {"children": [{"label": "A", "born": "2018-05", "wishes": {"w1": [str(uuid7())]}}]}
# What a body needs besides `recipient_id`; the last is whose turn it is.
ROUTES: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("post", "/v1/bookings"): ({"offer_id": THING}, "anybody"),
    ("post", "/v1/offers/{offer_id}/contact"): ({"text": "Hallo"}, "anybody"),
    ("post", "/v1/periods/{period_id}/wishlists"): (WISHES, "anybody"),
    ("post", "/v1/providers/{provider_id}/recipients"): ({}, "provider"),
    ("post", "/v1/offers/{offer_id}/proposals"): ({"content": {"title": {"de": "Neu"}}}, "provider"),
    ("post", "/v1/providers/{provider_id}/proposals"): ({"content": {"title": {"de": "Neu"}}}, "provider"),
}
# A wish list's holder keeps the recipient it has (tests/offers/test_allocation.py); an invitation only asks.
EXEMPT = {("put", "/v1/wishlists/{wishlist_id}"), ("post", "/v1/providers/{provider_id}/invitations")}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Home, Kit]]:
    """The service in this process, in a home whose notify has published its keys."""
    folder = tmp_path_factory.mktemp("strict")
    home = Home.of({"COBURG_HOME": str(folder)})
    keys.ensure(home)
    with pytest.MonkeyPatch.context() as environ:
        for name, value in (("HOME", str(folder)), ("RATE_LIMIT", ""), ("RECIPIENT_PROOF", "required")):
            environ.setenv(f"COBURG_{name}", value)
        environ.setenv("COBURG_NATS_URL", "nats://127.0.0.1:9")  # nobody: proofs need no bus
        app = reload(import_module("services.offers.app")).app
        with TestClient(app, raise_server_exceptions=False) as client:
            kit: Kit = app.state.kit
            until(lambda: kit.migrated)
            recipients.publish_keys(kit.settings)
            yield client, home, kit


def takes_recipient(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return "recipient_id" in document["components"]["schemas"].get(name, {}).get("properties", {})


def test_every_route_that_takes_a_recipient_is_named_here(strict: tuple[TestClient, Home, Kit]) -> None:
    document = strict[0].get("/openapi.json").json()
    found = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if takes_recipient(document, operation)
    }
    assert found == set(ROUTES) | EXEMPT


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_an_id_counts_with_its_proof_alone(
    route: tuple[str, str], strict: tuple[TestClient, Home, Kit]
) -> None:
    client, home, kit = strict
    body, caller = ROUTES[route]
    until_ = datetime.now(UTC) + timedelta(days=1)
    proofs = {
        None: {401},
        "forged": {401},
        recipients.issue(kit.settings, "r_another", until_): {401},
        recipients.issue(kit.settings, "r_mine", until_): {404, 422},  # proved; the thing itself is not there
    }
    path = route[1].format(offer_id=THING, period_id=THING, provider_id=THING)
    headers = {"If-Match": '"1"'}
    if caller == "provider":
        headers["Authorization"] = f"Bearer {keys.token(home, ['provider'], [THING])}"
    for proof, expected in proofs.items():
        shown = headers | ({"Recipient-Token": proof} if proof else {})
        answer = client.post(path, json={**body, "recipient_id": "r_mine"}, headers=shown)
        assert answer.status_code in expected, (proof, answer.text)
