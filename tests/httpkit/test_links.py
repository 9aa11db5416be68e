"""Who may do something by a token or by a signed link, as the edge tells them apart."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from uuid_utils import uuid7

from cli.home import Home
from libs.httpkit.links import by_token_or_link
from libs.servicekit.db import now
from libs.servicekit.links import links_of
from libs.servicekit.principal import Principal
from tests.servicekit.conftest import Probe, bearer, problem

THING = str(uuid7())

router = APIRouter()


@router.get("/v1/opened")
def opened(by: Annotated[Principal | str, by_token_or_link("check")]) -> str:
    """Who asks, or what the link opens."""
    return by.subject if isinstance(by, Principal) else by


def test_a_caller_or_the_thing_of_a_link(start: Probe, home: Home) -> None:
    client = start(app={"routers": [router]}, home=home.folder)
    links = links_of(client.app.state.kit.settings)  # type: ignore[attr-defined]
    link = {"Link-Token": links.sign("check", THING, now() + timedelta(minutes=1))}
    assert client.get("/v1/opened", headers=bearer(home, "editor", subject="ada")).json() == "ada"
    assert client.get("/v1/opened", headers=link).json() == THING
    other = {"Link-Token": links.sign("reply", THING, now() + timedelta(minutes=1))}
    assert problem(client.get("/v1/opened", headers=other), 401)["code"] == "wrong-link"
    assert problem(client.get("/v1/opened"), 401)["code"] == "unauthenticated"
    late = {"Link-Token": links.sign("check", THING, now() - timedelta(minutes=1))}
    assert (
        problem(client.get("/v1/opened", headers=late | bearer(home, "editor")), 401)["code"]
        == "link-expired"
    )
