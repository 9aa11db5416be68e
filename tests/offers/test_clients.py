"""Clients that are generated from the API document compile, and walk from the list over one offer to a booking."""

import json
import shutil
from pathlib import Path

import pytest

from tests.javascript import findings, run
from tests.offers.booking import offered
from tests.offers.conftest import Offers

SOURCES = Path(__file__).parent / "clients"


@pytest.fixture(scope="module")
def built(lone: Offers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both clients, made and compiled under TypeScript's strict rules."""
    folder = tmp_path_factory.mktemp("clients")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    (folder / "api.json").write_bytes(lone.http.get("/openapi.json").content)
    run(folder, "openapi-typescript/bin/cli.js", "api.json", "-o", "made/offers.d.ts")
    run(folder, "@hey-api/openapi-ts/bin/run.js", "-i", "api.json", "-o", "made/hey", "-s")
    run(folder, "typescript/bin/tsc", "-p", ".")
    return folder


@pytest.mark.parametrize("client", ["fetch", "hey"])
def test_a_generated_client_books(client: str, built: Path, lone: Offers) -> None:
    offer = offered(lone, max=20)
    run(built, str(built / "built" / f"{client}.js"), lone.stack.url("offers"), offer)


def test_linters_have_nothing_to_say(lone: Offers, tmp_path: Path) -> None:
    assert findings(tmp_path, lone.http.get("/hsds/openapi.json").json()) == []


def test_maps_have_values_that_generators_understand(lone: Offers) -> None:
    document = lone.http.get("/openapi.json").json()
    assert "patternProperties" not in json.dumps(document)
    title = document["components"]["schemas"]["OfferContent"]["properties"]["title"]
    assert title["additionalProperties"]["type"] == "string"


def test_what_a_request_may_leave_out_an_answer_has(lone: Offers) -> None:
    schemas = lone.http.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["OfferContentInput"]["required"] == ["title"]
    assert {"title", "summary", "tags", "fields"} <= set(schemas["OfferContent"]["required"])
    assert "required" not in schemas["Wish"]
