"""Signed links: a token opens one use of one thing for a while, and nobody makes one without the key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from uuid_utils import uuid7

from libs.servicekit.db import now
from libs.servicekit.errors import Unauthenticated
from libs.servicekit.links import Links, links_of
from libs.servicekit.settings import ServiceSettings, Settings

KEY = "k" * 40
THING = str(uuid7())
LATER = now() + timedelta(days=1)
CLAIMS = {"use": "check", "sub": THING, "exp": int(LATER.timestamp())}


def test_a_token_opens_its_use_of_its_thing() -> None:
    token = Links(KEY).sign("conversation", THING, LATER)
    assert Links(KEY).read("conversation", token) == THING
    assert len(token) <= 200, "it travels as a word of a message's facts"


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "a.b.c",
        Links("x" * 40).sign("check", THING, LATER),
        Links(KEY).sign("invitation", THING, LATER),
        Links(KEY).sign("check", THING, now() - timedelta(seconds=2)),
        jwt.encode({"alg": "HS512"}, CLAIMS, OctKey.import_key(KEY * 2), algorithms=["HS512"]),
        "eyJhbGciOiJub25lIn0.eyJ1c2UiOiJjaGVjayIsInN1YiI6IngiLCJleHAiOjQwMDAwMDAwMDB9.",
    ],
)
def test_what_opens_nothing(token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        Links(KEY).read("check", token)


@pytest.mark.parametrize("left_out", ["use", "sub", "exp"])
def test_a_token_says_everything(left_out: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != left_out}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(KEY))
    with pytest.raises(Unauthenticated):
        Links(KEY).read("check", token)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Links("short")


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(service="offers", own=ServiceSettings(), home=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda _: links_of(settings).sign("check", THING, LATER), range(8)))
    assert len(set(tokens)) == 1
    (file,) = (tmp_path / "keys").iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_a_given_key_is_taken(tmp_path: Path) -> None:
    settings = Settings(service="offers", own=ServiceSettings(link_key=KEY), home=tmp_path)
    assert Links(KEY).read("check", links_of(settings).sign("check", THING, LATER)) == THING
    assert not (tmp_path / "keys").exists()
