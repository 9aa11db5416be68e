"""Problems have a code for good, and the town's words for it in the language that the caller reads."""

import pytest

from cli.home import ROOT
from libs.httpkit.words import Words, negotiate
from tests.servicekit.conftest import Probe, problem, settings


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "de"),
        ("*", "de"),
        ("fr", "de"),
        ("de-AT", "de"),
        ("de-simple", "de"),
        ("EN-us", "en"),
        ("de;q=0.5, en", "en"),
        ("en;q=0, de", "de"),
        ("en;q=0.1, *;q=0.9", "de"),
        ("en;q=gut", "de"),
        ("fr, en;q=0.3", "en"),
    ],
)
def test_the_language_is_the_one_that_is_preferred(accepted: str | None, language: str) -> None:
    assert negotiate(accepted, ["de", "en"]) == language


def test_a_program_compares_the_code_and_people_read_their_language(start: Probe) -> None:
    client = start()
    told = {
        language: client.get("/v1/events/none.such", headers={"Accept-Language": language})
        for language in ("de", "en")
    }
    german, english = (problem(answer, 404) for answer in told.values())
    assert german["code"] == english["code"] == "not-found"
    assert german["type"] == english["type"] == "http://localhost/v1/problems/not-found"
    assert (german["title"], english["title"]) == ("Nicht gefunden", "Not found")
    assert all("Accept-Language" in answer.headers["Vary"].split(", ") for answer in told.values())


def test_a_type_is_an_address_that_says_what_it_means(start: Probe) -> None:
    client = start()
    listed = {kind["code"]: kind for kind in client.get("/v1/problems").json()}
    assert listed["version-mismatch"] == client.get("/v1/problems/version-mismatch").json()
    assert set(listed["version-mismatch"]["title"]) >= {"de", "en"}
    assert problem(client.get("/v1/problems/none-such"), 404)["code"] == "not-found"


def test_fields_are_refused_in_german_too(start: Probe) -> None:
    sent = {"text": "a", "count": "3", "more": 1}
    told = problem(start().post("/v1/notes", json=sent, headers={"Accept-Language": "de"}), 422)
    assert {(each["field"], each["code"], each["reason"]) for each in told["errors"]} == {
        ("count", "int-type", "muss eine ganze Zahl sein"),
        ("more", "extra-forbidden", "gibt es hier nicht"),
    }
    assert "count: muss eine ganze Zahl sein" in told["detail"]


def test_values_are_put_into_the_sentence_and_a_lack_of_them_leaves_it_out() -> None:
    words = Words(settings(city=ROOT / "city"))
    told = words.detail("version-mismatch", "de", {"actual": "7"})
    assert told is not None
    assert "7" in told
    assert words.detail("version-mismatch", "de", {}) is None
    assert words.detail("none-such", "de", {}) is None
