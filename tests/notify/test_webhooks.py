"""Webhooks against a real server: signed, in order, once per event, for as long as it takes, and nobody waits for another."""

import json
import threading
import time
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from standardwebhooks import Webhook
from uuid_utils import uuid7

from libs.servicekit.tables import idempotency
from tests.notify.conftest import Notify
from tests.notify.endpoint import listening
from tests.waiting import until


class Hook:
    """A webhook of a partner of its own."""

    def __init__(self, notify: Notify, url: str, **more: Any) -> None:
        self.notify = notify
        self.headers = {
            "Authorization": f"Bearer {notify.stack.token('partner', subject=f'p-{uuid7().hex}')}"
        }
        body = {"url": url, "types": ["offers.*"], **more}
        answer = notify.http.post("/v1/webhooks", json=body, headers=self.headers)
        assert answer.status_code == 201, answer.text
        self.id, self.secret = answer.json()["id"], answer.json()["secret"]
        self.path = f"/v1/webhooks/{self.id}"

    def call(self, method: str, tail: str = "", **more: Any) -> httpx2.Response:
        headers = self.headers | more.pop("headers", {})
        return self.notify.http.request(method, self.path + tail, headers=headers, **more)

    def log(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/deliveries?limit=200").json()["items"]
        return found


def test_what_arrives_is_the_fact_itself_signed(notify: Notify) -> None:
    with listening() as endpoint:
        hook = Hook(notify, endpoint.url)
        offer = notify.offer("Schwimmen")
        (taken,) = until(lambda: [t for t in endpoint.taken if offer in t.body.decode()])
        event = Webhook(hook.secret).verify(taken.body, taken.headers)
        assert event["subject"] == offer
        assert event["id"] == taken.headers["webhook-id"]
        assert taken.headers["content-type"] == "application/cloudevents+json"
        (entry,) = until(
            lambda: [e for e in hook.log() if e["event_id"] == event["id"] and e["status"] == "sent"]
        )
        assert entry["answer"] == 200


def test_types_and_filter_choose(notify: Notify) -> None:
    with listening() as endpoint:
        Hook(notify, endpoint.url, types=["retail.*"])
        Hook(notify, endpoint.url, filter={"q": "tauchen"})
        Hook(notify, endpoint.url, filter={"district": "Neuses"})
        notify.offer("Schwimmen im Fluss", place={"district": "Rögen"})
        wanted = {notify.offer("Tauchen im See"), notify.offer("Rudern", place={"district": "Neuses"})}
        until(lambda: len(endpoint.taken) == 2)
        time.sleep(0.5)
        assert {json.loads(t.body)["subject"] for t in endpoint.taken} == wanted


def test_of_one_thing_the_order_is_kept_over_failures_and_others_go_on(notify: Notify) -> None:
    with listening() as endpoint:
        Hook(notify, endpoint.url)
        endpoint.answers = [500]
        first = notify.offer("Erstes")
        until(lambda: len(endpoint.taken) == 1)
        notify.offer("Erstes, geändert", first, 2)
        other = notify.offer("Anderes")
        until(lambda: other in endpoint.taken[-1].body.decode())
        until(lambda: len(endpoint.taken) == 4, 30)
        mine = [json.loads(t.body) for t in endpoint.taken if json.loads(t.body)["subject"] == first]
        assert [int(each["sequence"]) for each in mine] == [1, 1, 2]
        assert mine[0]["id"] == mine[1]["id"], "the same webhook-id"


def test_one_dead_partner_delays_nobody(notify: Notify) -> None:
    with listening() as dead, listening() as alive:
        dead.slow = threading.Event()
        Hook(notify, dead.url)
        Hook(notify, alive.url)
        began = time.monotonic()
        offers = {notify.offer(f"Angebot {n}") for n in range(5)}
        until(lambda: offers <= {json.loads(t.body)["subject"] for t in alive.taken}, 10)
        assert time.monotonic() - began < 10
        dead.slow.set()


def test_a_secret_is_shown_once_and_kept_nowhere(notify: Notify) -> None:
    subject = notify.stack.token("partner", subject=f"p-{uuid7().hex}")
    headers = {"Authorization": f"Bearer {subject}", "Idempotency-Key": uuid7().hex}
    wish = {"url": "http://127.0.0.1:1/hook", "types": ["offers.*"]}
    first, again = (notify.http.post("/v1/webhooks", json=wish, headers=headers) for _ in range(2))
    assert first.json()["secret"].startswith("whsec_")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    with notify.db.reading() as session:
        bodies = session.execute(select(idempotency.c.body)).scalars().all()
    assert not any(b"whsec_" in bytes(body or b"") for body in bodies)


def test_what_is_disabled_says_so(notify: Notify) -> None:
    with listening() as endpoint:
        hook = Hook(notify, endpoint.url)
        endpoint.always = 410
        assert hook.call("POST", "/test").status_code == 202
        until(lambda: hook.call("GET").json()["status"] == "disabled")
        assert {each["status"] for each in hook.log()} == {"failed"}
        for tail, wish in (("/test", None), ("/replay", {"sequence": 1})):
            answer = hook.call("POST", tail, json=wish)
            assert (answer.status_code, answer.json()["code"]) == (409, "webhook-disabled")


def test_410_disables_and_a_change_enables_again(notify: Notify) -> None:
    with listening() as endpoint:
        hook = Hook(notify, endpoint.url)
        endpoint.answers = [410]
        notify.offer("Etwas")
        until(lambda: hook.call("GET").json()["status"] == "disabled")
        notify.offer("Noch etwas")
        time.sleep(0.5)
        assert len(endpoint.taken) == 1
        seen = {"If-Match": hook.call("GET").headers["ETag"]}
        changed = hook.call("PUT", json={"url": endpoint.url, "types": ["offers.*"]}, headers=seen)
        assert changed.json()["status"] == "active"


def test_a_redirect_is_no_answer(notify: Notify) -> None:
    with listening() as endpoint, listening() as other:
        endpoint.always, endpoint.location = 302, other.url
        hook = Hook(notify, endpoint.url)
        notify.offer("Umleitung")
        until(lambda: [e for e in hook.log() if e["answer"] == 302])
        assert other.taken == []


def test_both_secrets_sign_after_a_change(notify: Notify) -> None:
    with listening() as endpoint:
        hook = Hook(notify, endpoint.url)
        fresh = hook.call("POST", "/secret").json()["secret"]
        assert fresh != hook.secret
        hook.call("POST", "/test")
        (taken,) = until(lambda: endpoint.taken)
        for secret in (fresh, hook.secret):
            assert Webhook(secret).verify(taken.body, taken.headers)["data"] == {"test": True}


def test_the_log_sends_again_and_a_replay_starts_anywhere(notify: Notify) -> None:
    with listening() as endpoint:
        before = notify.offer("Davor")
        hook = Hook(notify, endpoint.url)
        notify.offer("Danach")
        entry, *_ = until(lambda: [e for e in hook.log() if e["status"] == "sent"])
        again = hook.call("POST", f"/deliveries/{entry['id']}/redeliver")
        assert again.status_code == 202
        until(lambda: endpoint.ids().count(entry["event_id"]) == 2)
        seen = len(endpoint.taken)
        assert hook.call("POST", "/replay", json={"sequence": 1}).status_code == 202
        until(lambda: before in {json.loads(t.body)["subject"] for t in endpoint.taken[seen:]}, 30)
        assert (
            hook.call("POST", "/replay", json={"since": "2020-01-01T00:00:00Z", "sequence": 1}).status_code
            == 422
        )
        until(lambda: hook.call("GET").json()["replay_at"] is None)
        assert hook.call("POST", "/replay", json={"since": "2020-01-01T00:00:00Z"}).status_code == 202


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "nonsense"},
        {"types": ["offers"]},
        {"types": []},
        {"filter": {"open_now": "true"}},
        {"filter": {"near": "here"}},
    ],
)
def test_what_is_no_webhook_is_refused_with_the_field(notify: Notify, wrong: dict[str, Any]) -> None:
    body = {"url": "https://example.org/hook", **wrong}
    answer = notify.http.post("/v1/webhooks", json=body, headers=notify.stack.headers("partner"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"]


def test_nobody_sees_anothers_webhook(notify: Notify) -> None:
    with listening() as endpoint:
        hook = Hook(notify, endpoint.url)
        stranger = {"Authorization": f"Bearer {notify.stack.token('partner', subject='somebody-else')}"}
        for method, tail in (
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/deliveries"),
            ("POST", "/test"),
            ("POST", "/secret"),
        ):
            assert notify.http.request(method, hook.path + tail, headers=stranger).status_code == 404
        assert hook.call("DELETE").status_code == 204
        assert hook.call("GET").status_code == 404


def test_killed_in_the_middle_every_fact_arrives_and_has_one_id(lone: Notify) -> None:
    with listening() as endpoint:
        Hook(lone, endpoint.url)
        offers = [lone.offer(f"Angebot {n}") for n in range(60)]
        until(lambda: len(endpoint.taken) > 5)
        lone.stack.kill9("notify")
        lone.stack.launch("notify")
        until(lambda: set(offers) <= {json.loads(t.body)["subject"] for t in endpoint.taken}, 60)
        ids = {json.loads(t.body)["subject"]: set() for t in endpoint.taken}  # type: dict[str, set[str]]
        for taken in endpoint.taken:
            ids[json.loads(taken.body)["subject"]].add(taken.headers["webhook-id"])
        assert all(len(each) == 1 for each in ids.values())


def test_connections_to_an_endpoint_are_used_again(notify: Notify) -> None:
    with listening() as endpoint:
        Hook(notify, endpoint.url)
        for number in range(5):
            notify.offer(f"Angebot {number}")
            until(lambda at=number: len(endpoint.taken) > at)  # type: ignore[misc]
        assert len({each.peer for each in endpoint.taken}) < 5
