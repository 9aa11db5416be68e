"""Recipients' proofs: notify signs them, everybody checks them, and nobody else makes one."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from libs.httpkit import recipients
from libs.servicekit.db import now
from libs.servicekit.errors import Unauthenticated
from libs.servicekit.principal import Principal
from libs.servicekit.settings import ServiceSettings, Settings

LATER = now() + timedelta(days=400)


def settings(home: Path, key: str | None = None, **values: Any) -> Settings:
    return Settings(service="notify", own=ServiceSettings(recipient_key=key), home=home, **values)


@pytest.fixture
def town(tmp_path: Path) -> Settings:
    """A home whose notify has published its keys, where proofs are required."""
    made = settings(tmp_path, recipient_proof="required")
    recipients.publish_keys(made)
    return made


def refused(check: Callable[[], object]) -> None:
    with pytest.raises(Unauthenticated):
        check()


def test_a_proof_is_good_for_its_recipient_alone(town: Settings) -> None:
    token = recipients.issue(town, "r_1", LATER)
    recipients.check(town, "r_1", token)
    refused(lambda: recipients.check(town, "r_2", token))
    assert len(token) < 400


def test_what_proves_nothing(town: Settings, tmp_path: Path) -> None:
    stranger = settings(tmp_path, "another key, thirty-two characters")
    claims = {"use": "recipient", "sub": "r_1", "exp": int(LATER.timestamp())}
    public = recipients.public_keys(town)["keys"][0]["x"]
    for token in (
        None,
        "",
        "a.b.c",
        recipients.issue(stranger, "r_1", LATER),
        recipients.issue(town, "r_1", now() - timedelta(seconds=2)),
        jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(public)),
        "eyJhbGciOiJub25lIn0.eyJ1c2UiOiJyZWNpcGllbnQiLCJzdWIiOiJyXzEiLCJleHAiOjQwMDAwMDAwMDB9.",
    ):
        refused(lambda token=token: recipients.check(town, "r_1", token))  # type: ignore[misc]


@pytest.mark.parametrize("changed", [{"use": "check"}, {"use": None}, {"sub": None}, {"exp": None}])
def test_a_proof_says_everything(town: Settings, changed: dict[str, Any]) -> None:
    claims = {"use": "recipient", "sub": "r_1", "exp": int(LATER.timestamp()), **changed}
    said = {name: value for name, value in claims.items() if value is not None}
    key = recipients._signing_key(town)
    token = jwt.encode({"alg": "Ed25519"}, said, key, algorithms=["Ed25519"])
    refused(lambda: recipients.check(town, "r_1", token))


def test_where_proofs_are_off_every_id_counts_and_no_key_is_needed(tmp_path: Path) -> None:
    for token in (None, "any"):
        recipients.check(settings(tmp_path, recipient_proof="off"), "r_1", token)


def test_an_editor_answers_for_whom_he_names(town: Settings) -> None:
    recipients.Proof(town, Principal("e", frozenset({"editor"})), None).check("r_1")
    refused(lambda: recipients.Proof(town, Principal("p", frozenset({"provider"})), None).check("r_1"))
    wrong = recipients.issue(town, "r_2", LATER)
    refused(lambda: recipients.Proof(town, Principal("e", frozenset({"editor"})), wrong).check("r_1"))


def test_the_secret_stays_with_notify(town: Settings) -> None:
    files = {file.name: file for file in (town.home / "keys").iterdir()}
    assert set(files) == {"recipients", "recipients.jwks.json"}
    assert files["recipients"].stat().st_mode & 0o077 == 0
    (public,) = recipients.public_keys(town)["keys"]
    assert "d" not in public


def test_a_given_key_is_taken_and_needs_no_file(tmp_path: Path) -> None:
    given = settings(tmp_path / "home", "k" * 32)
    recipients.publish_keys(given)
    assert recipients.public_keys(given) == recipients.public_keys(settings(tmp_path, "k" * 32))
    assert not (tmp_path / "home").exists()
    with pytest.raises(ValueError, match="32"):
        recipients.public_keys(settings(tmp_path, "short"))


def test_several_ids_of_one_address_are_one_person(tmp_path: Path) -> None:
    town = settings(tmp_path, recipient_proof="required")
    recipients.publish_keys(town)
    tokens = {each: recipients.issue(town, each, LATER, "the-same") for each in ("r_1", "r_2")}
    assert {recipients.check(town, each, token) for each, token in tokens.items()} == {"the-same"}
    assert recipients.check(town, "r_3", recipients.issue(town, "r_3", LATER)) == "r_3"
