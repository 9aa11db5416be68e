"""Members act for an organisation without the identity provider knowing; what they change in public, editors release."""

from typing import Any

import httpx2
import pytest

from tests.offers.conftest import COURSE, Offers
from tests.offers.test_freshness import pass_days
from tests.service import problem


def call(service: Offers, method: str, path: str, body: Any, who: str, **more: Any) -> httpx2.Response:
    """A request of somebody whose token says nothing but who they are."""
    headers = {"Authorization": f"Bearer {service.stack.token(subject=who)}"} | more.pop("headers", {})
    return service.call(method, path, body, headers=headers, **more)


def invited(service: Offers, provider: str, recipient: str, role: str = "member") -> dict[str, str]:
    """The header that opens an invitation, as the message brought it."""
    body = {"recipient_id": recipient, "role": role}
    answer = service.call("POST", f"/v1/providers/{provider}/invitations", body, "editor")
    assert answer.status_code == 201, answer.text
    message = service.asked(recipient)[-1]
    assert message["template"] == "organisation-invitation"
    return {"Link-Token": message["facts"]["token"]}


def join(service: Offers, provider: str, who: str, role: str = "member") -> dict[str, Any]:
    link = invited(service, provider, f"at-{who}", role)
    answer = call(service, "POST", "/v1/invitations/accept", None, who, headers=link)
    assert answer.status_code == 201, answer.text
    member: dict[str, Any] = answer.json()
    return member


def test_a_member_acts_for_the_organisation(service: Offers) -> None:
    provider = service.provider("Verein")
    who = f"anna-{provider}"
    body = {"board": "course", "provider_id": provider, "content": COURSE}
    problem(call(service, "POST", "/v1/offers", body, who), 403)
    assert join(service, provider, who)["role"] == "member"
    offer = call(service, "POST", "/v1/offers", body, who)
    assert offer.status_code == 201
    assert call(service, "GET", f"/v1/offers/{offer.json()['id']}", None, who).status_code == 200
    problem(call(service, "POST", "/v1/offers", body | {"provider_id": service.provider()}, who), 403)


def test_an_invitation_is_good_for_one_person_once(service: Offers) -> None:
    provider = service.provider()
    link = invited(service, provider, f"inv-{provider}")
    problem(service.call("POST", "/v1/invitations/accept", headers=link), 401)
    path = "/v1/invitations/accept"
    assert call(service, "POST", path, None, f"a-{provider}", headers=link).status_code == 201
    problem(call(service, "POST", path, None, f"b-{provider}", headers=link), 409)
    link = invited(service, provider, f"inv-{provider}")
    (waiting,) = service.call("GET", f"/v1/providers/{provider}/invitations", None, "editor").json()["items"]
    revoke = f"/v1/providers/{provider}/invitations/{waiting['id']}"
    assert service.call("DELETE", revoke, None, "editor").status_code == 204
    problem(service.call("DELETE", revoke, None, "editor"), 404)
    problem(call(service, "POST", path, None, f"b-{provider}", headers=link), 409)


def test_managers_say_who_belongs_and_one_always_stays(service: Offers) -> None:
    provider = service.provider()
    boss, helper = f"boss-{provider}", f"helper-{provider}"
    manager, member = join(service, provider, boss, "manager"), join(service, provider, helper)
    members = f"/v1/providers/{provider}/members"
    invitation = {"recipient_id": "someone"}
    problem(call(service, "POST", f"/v1/providers/{provider}/invitations", invitation, helper), 403)
    problem(call(service, "DELETE", f"{members}/{manager['id']}", None, helper, version=1), 403)
    problem(call(service, "DELETE", f"{members}/{manager['id']}", None, boss, version=1), 409)
    path = f"{members}/{member['id']}"
    risen = call(service, "PUT", path, {"role": "manager"}, boss, version=1)
    assert (risen.json()["role"], risen.headers["ETag"]) == ("manager", '"2"')
    problem(call(service, "PUT", path, {"role": "member"}, boss, version=1), 412)
    assert call(service, "DELETE", f"{members}/{manager['id']}", None, boss, version=1).status_code == 204
    problem(call(service, "GET", members, None, boss), 403)
    problem(call(service, "PUT", path, {"role": "member"}, helper, version=2), 409)
    listed = call(service, "GET", members, None, helper).json()["items"]
    assert [item["subject"] for item in listed] == [helper]
    problem(service.call("DELETE", path, None, "editor", version=2), 409)


def test_who_left_comes_back_by_an_invitation_alone(service: Offers) -> None:
    provider = service.provider()
    join(service, provider, f"boss-{provider}", "manager")
    who, members = f"who-{provider}", f"/v1/providers/{provider}/members"
    member = join(service, provider, who)
    token = {"Authorization": f"Bearer {service.stack.token('provider', providers=(provider,), subject=who)}"}
    own = f"{members}/{member['id']}"
    assert service.call("DELETE", own, headers=token, version=1).status_code == 204
    problem(service.call("GET", members, headers=token), 403)
    invitation = {"recipient_id": "r-friend"}
    problem(service.call("POST", f"/v1/providers/{provider}/invitations", invitation, headers=token), 403)
    problem(service.call("PUT", own, {"role": "member"}, "editor", version=2), 404)
    again = join(service, provider, who)
    assert (again["id"], again["role"], again["version"]) == (member["id"], "member", 3)
    assert service.call("GET", members, headers=token).status_code == 200


def proposed(
    service: Offers, offer: str, version: int, content: Any, who: str, **more: Any
) -> httpx2.Response:
    body = {"content": content, **more}
    return call(service, "POST", f"/v1/offers/{offer}/proposals", body, who, version=version)


def decide(service: Offers, proposal: str, step: str, version: int = 1, body: Any = None) -> httpx2.Response:
    return service.call("POST", f"/v1/proposals/{proposal}/{step}", body, "editor", version=version)


@pytest.fixture
def person(service: Offers) -> tuple[str, str]:
    """A new organisation, and a member of it."""
    provider = service.provider("Verein")
    join(service, provider, f"p-{provider}")
    return provider, f"p-{provider}"


def test_a_proposal_is_released_with_its_difference(service: Offers, person: tuple[str, str]) -> None:
    provider, who = person
    offer = service.draft(COURSE | {"price_cents": 100}, provider, publish=True)
    problem(call(service, "PUT", f"/v1/offers/{offer}", COURSE, who, version=1), 403)
    new = COURSE | {"title": {"de": "Töpfern", "en": "Pottery"}}
    problem(proposed(service, offer, 7, new, who), 412)
    problem(proposed(service, offer, 1, COURSE | {"price_cents": 100}, who), 422)
    problem(proposed(service, offer, 1, COURSE | {"fields": {}}, who), 422)
    made = proposed(service, offer, 1, new, who)
    assert made.status_code == 201, made.text
    proposal = made.json()
    assert proposal["changes"] == [
        {"path": "/price_cents", "old": 100, "new": None},
        {"path": "/title/en", "old": None, "new": "Pottery"},
    ]
    assert service.told(offer) == [("published", 1)], "nothing is public yet"
    changed = COURSE | {"price_cents": 100, "tags": ["Ton"]}
    service.call("PUT", f"/v1/offers/{offer}", changed, "editor", version=1)
    assert decide(service, proposal["id"], "release").json()["status"] == "released"
    content = service.get(offer).json()["content"]
    assert (content["title"]["en"], content["tags"], content["price_cents"]) == ("Pottery", ["Ton"], None)
    assert service.told(offer) == [("published", 1), ("changed", 2), ("changed", 3)]
    problem(decide(service, proposal["id"], "release", 2), 409)
    message = service.asked(f"at-{who}")[-1]
    assert (message["template"], message["facts"]) == ("proposal-released", {"proposal": proposal["id"]})


def test_what_others_changed_too_is_a_conflict(service: Offers, person: tuple[str, str]) -> None:
    provider, who = person
    offer = service.draft(COURSE | {"price_cents": 100}, provider, publish=True)
    proposal = proposed(service, offer, 1, COURSE | {"price_cents": 200}, who).json()["id"]
    service.call("PUT", f"/v1/offers/{offer}", COURSE | {"price_cents": 300}, "editor", version=1)
    told = problem(decide(service, proposal, "release"), 409)
    assert [error["field"] for error in told["errors"]] == ["/price_cents"]
    assert decide(service, proposal, "refuse", body={"reason": "Zu teuer."}).status_code == 200
    seen = call(service, "GET", f"/v1/proposals/{proposal}", None, who).json()
    assert (seen["status"], seen["reason"]) == ("refused", "Zu teuer.")
    assert service.asked(f"at-{who}")[-1]["template"] == "proposal-refused"
    assert service.get(offer).json()["content"]["price_cents"] == 300


def test_a_proposal_brings_a_hidden_offer_back(service: Offers, person: tuple[str, str]) -> None:
    provider, who = person
    offer = service.draft(provider=provider, publish=True)
    pass_days(service, 181, offer)
    proposal = proposed(service, offer, 2, COURSE | {"tags": ["neu"]}, who).json()["id"]
    decide(service, proposal, "release")
    assert service.told(offer) == [("published", 1), ("hidden", 2), ("published", 3)]


def test_the_organisations_own_details(service: Offers, person: tuple[str, str]) -> None:
    provider, who = person
    path = f"/v1/providers/{provider}"
    body = {"content": {"title": {"de": "Neuer Verein"}}, "recipient_id": f"told-{provider}"}
    problem(call(service, "PUT", path, body["content"], who, version=1), 403)
    proposal = call(service, "POST", f"{path}/proposals", body, who, version=1).json()
    assert proposal["changes"] == [{"path": "/title/de", "old": "Verein", "new": "Neuer Verein"}]
    assert decide(service, proposal["id"], "release").status_code == 200
    assert service.http.get(path).json()["title"] == {"de": "Neuer Verein"}
    assert service.asked(f"told-{provider}")[-1]["template"] == "proposal-released"


def test_who_sees_and_takes_back_a_proposal(service: Offers, person: tuple[str, str]) -> None:
    provider, who = person
    stranger = f"s-{provider}"
    join(service, service.provider(), stranger)
    offer = service.draft(provider=provider, publish=True)
    made = [proposed(service, offer, 1, COURSE | {"tags": [tag]}, who).json()["id"] for tag in "abc"]
    pages, after = list[str](), ""
    while True:
        query = f"/v1/proposals?limit=2&thing_id={offer}&after={after}"
        page = call(service, "GET", query, None, who).json()
        pages += [item["id"] for item in page["items"]]
        if not (after := page["next"]):
            break
    assert pages == made
    assert call(service, "GET", f"/v1/proposals?thing_id={offer}", None, stranger).json()["items"] == []
    problem(call(service, "GET", f"/v1/proposals/{made[0]}", None, stranger), 403)
    taken = call(service, "POST", f"/v1/proposals/{made[0]}/withdraw", None, who, version=1)
    assert taken.json()["status"] == "withdrawn"
    still = service.call("GET", f"/v1/proposals?thing_id={offer}&status=open", None, "editor").json()
    assert [item["id"] for item in still["items"]] == made[1:]


def test_a_draft_needs_no_proposal(service: Offers, person: tuple[str, str]) -> None:
    provider, who = person
    offer = service.draft(provider=provider)
    problem(proposed(service, offer, 1, COURSE | {"tags": ["a"]}, who), 409)
    assert call(service, "PUT", f"/v1/offers/{offer}", COURSE, who, version=1).status_code == 200
