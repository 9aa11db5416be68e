"""Following something, from the request to the mail: matched once, told once, ended by one click."""

import mailbox
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from sqlalchemy import text

from cli import mail
from cli.mail import folder_of
from services.notify.subscriptions.models import Notice
from tests.notify.conftest import Notify, body
from tests.waiting import until

KILL_FACTS = 30


def follow(
    notify: Notify, recipient: str, headers: dict[str, str], said: dict[str, Any], **more: Any
) -> dict[str, Any]:
    asked = {"recipient_id": recipient, "filter": said, **more}
    answer = notify.http.post("/v1/subscriptions", json=asked, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def learned(notify: Notify, thing: str, version: int) -> None:
    """Until notify knows this version of a thing."""

    def known() -> bool:
        with notify.db.reading() as session:
            query = text("SELECT version FROM thing WHERE thing_id = :thing")
            return (session.execute(query, {"thing": thing}).scalar() or 0) >= version

    until(known)


def notices(notify: Notify, recipient: str) -> list[Notice]:
    from sqlmodel import select

    with notify.db.reading() as session:
        return list(session.exec(select(Notice).where(Notice.recipient_id == recipient)))


def ripen(notify: Notify, recipient: str) -> None:
    """Have the hour come for what waits."""
    with notify.db.transaction() as session:
        query = text("UPDATE notice SET due_at = :now WHERE recipient_id = :one AND status = 'waiting'")
        session.execute(query, {"now": datetime.now(UTC) - timedelta(seconds=1), "one": recipient})


def test_a_new_offer_is_told_at_once_and_says_why(notify: Notify) -> None:
    recipient, headers = notify.confirmed("swim@example.org")
    follow(notify, recipient, headers, {"q": "Schwimkurs", "kind": "offer"})
    notify.offer("Schwimmkurs am Abend")
    notify.offer("Turnen")
    found = notify.mail("swim@example.org", 2)
    assert found["Subject"] == "Neu: Schwimmkurs am Abend"
    assert "weil Sie „Schwimkurs, ein Angebot“ abonniert haben" in body(found)
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    raw = [each for each in raw_mails(notify) if str(found["Message-ID"]).encode() in each]
    assert b"\nList-Unsubscribe: <http://127.0.0.1:" in raw[0], "readable as it goes over the wire"


def test_one_click_ends_it_and_what_waits_is_not_sent(notify: Notify) -> None:
    recipient, headers = notify.confirmed("stop@example.org")
    made = follow(notify, recipient, headers, {"q": "stopptest"})
    thing = notify.offer("Stopptest")
    found = notify.mail("stop@example.org", 2)
    notify.offer("Stopptest anders", thing, 2)
    waiting = until(lambda: [each for each in notices(notify, recipient) if each.status == "waiting"])
    assert waiting[0].due_at > datetime.now(UTC) + timedelta(minutes=20)  # the same thing was told just now
    link = httpx2.URL(str(found["List-Unsubscribe"]).strip("<>"))
    assert notify.http.get(link.raw_path.decode()).status_code == 200
    assert notify.http.post(link.raw_path.decode(), content="List-Unsubscribe=One-Click").status_code == 200
    assert notify.http.get(f"/v1/subscriptions/{made['id']}", headers=headers).status_code == 404
    assert notices(notify, recipient) == []
    assert notify.http.post(link.raw_path.decode()).status_code == 404


def test_a_fact_that_fits_several_subscriptions_is_one_message(notify: Notify) -> None:
    recipient, headers = notify.confirmed("several@example.org")
    follow(notify, recipient, headers, {"q": "mehrfachtest"}, cadence="daily")
    follow(notify, recipient, headers, {"q": "mehrfachtest", "board": "sport"}, name="Mein Sport")
    notify.offer("Mehrfachtest")
    found = notify.mail("several@example.org", 2)
    assert "„Mein Sport“" in body(found)
    assert len(notices(notify, recipient)) == 1


def test_changes_of_one_thing_are_one_message_at_the_end_of_the_window(notify: Notify) -> None:
    recipient, headers = notify.confirmed("window@example.org")
    follow(notify, recipient, headers, {"q": "fenstertest"})
    thing = notify.offer("Fenstertest")
    notify.mail("window@example.org", 2)
    for version in (2, 3, 4):
        notify.offer(f"Fenstertest {version}", thing, version)
    learned(notify, thing, 4)
    waiting = [each for each in notices(notify, recipient) if each.status == "waiting"]
    assert len(waiting) == 1
    ripen(notify, recipient)
    found = notify.mail("window@example.org", 3)
    assert found["Subject"] == "Geändert: Fenstertest 4"
    assert len(notify.mails("window@example.org")) == 3


def test_an_overview_is_grouped_newest_first_without_what_is_gone(notify: Notify) -> None:
    recipient, headers = notify.confirmed("daily@example.org")
    follow(notify, recipient, headers, {"q": "tagestest"}, cadence="daily")
    follow(notify, recipient, headers, {"q": "übersicht"}, cadence="daily")
    first = notify.offer("Tagestest Eins")
    second = notify.offer("Übersicht Zwei", board="kita")
    gone = notify.offer("Tagestest Drei")
    notify.offer("Tagestest Eins neu", first, 2)
    notify.offer("Tagestest Drei", gone, 2, listed=False)
    learned(notify, gone, 2)
    learned(notify, first, 2)
    learned(notify, second, 1)
    assert all(
        each.due_at > datetime.now(UTC) for each in notices(notify, recipient) if each.status == "waiting"
    )
    ripen(notify, recipient)
    found = notify.mail("daily@example.org", 2)
    assert found["Subject"] == "2 Neuigkeiten aus Coburg"
    said = body(found)
    assert said.index("Eins neu") < said.index("Zwei") and "Drei" not in said and said.count("Eins") == 1
    assert "„tagestest, übersicht“" in said
    time.sleep(1.5)
    assert len(notify.mails("daily@example.org")) == 2
    link = httpx2.URL(str(found["List-Unsubscribe"]).strip("<>"))
    assert notify.http.post(link.raw_path.decode()).status_code == 200
    mine = notify.http.get("/v1/subscriptions", params={"recipient_id": recipient}, headers=headers)
    assert mine.json() == []


def test_facts_from_before_and_unwanted_changes_are_not_told(notify: Notify) -> None:
    thing = notify.offer("Vorhertest")
    learned(notify, thing, 1)
    recipient, headers = notify.confirmed("before@example.org")
    follow(notify, recipient, headers, {"q": "vorhertest"}, changes=["cancelled"])
    notify.offer("Vorhertest anders", thing, 2)
    notify.offer("Vorhertest anders", thing, 3, listed=False)
    assert notify.mail("before@example.org", 2)["Subject"].startswith("Nicht mehr verfügbar")
    assert [each.change for each in notices(notify, recipient)] == ["cancelled"]


def test_a_deadline_is_told_once_to_those_who_want_it(notify: Notify) -> None:
    from pathlib import Path

    from services.notify.subscriptions import telling
    from services.notify.subscriptions.matching import matching_of

    recipient, headers = notify.confirmed("deadline@example.org")
    thing = notify.offer("Fristtest", bookable_until=(datetime.now(UTC) + timedelta(days=2)).isoformat())
    learned(notify, thing, 1)
    follow(notify, recipient, headers, {"thing": thing}, changes=["deadline"])
    for _ in range(2):
        with notify.db.transaction() as session:
            telling.warn(session, matching_of(Path("city")))
    assert notify.mail("deadline@example.org", 2)["Subject"] == "Frist endet bald: Fristtest"
    assert len(notices(notify, recipient)) == 1


def test_a_subscription_is_changed_exported_and_erased(notify: Notify) -> None:
    recipient, headers = notify.confirmed("change@example.org")
    made = follow(notify, recipient, headers, {"q": "altwort"}, cadence="daily")
    notify.offer("Altwort")
    until(lambda: notices(notify, recipient))
    path = f"/v1/subscriptions/{made['id']}"
    changed = {"filter": {"q": "neuwort"}, "cadence": "at_once"}
    assert notify.http.put(path, json=changed, headers=headers | {"If-Match": '"9"'}).status_code == 412
    answer = notify.http.put(path, json=changed, headers=headers | {"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    until(lambda: all(each.status == "dropped" for each in notices(notify, recipient)))
    exported = notify.http.get(f"/v1/recipients/{recipient}/export", headers=headers).json()
    assert [each["filter"] for each in exported["subscriptions"]] == [{"q": "neuwort"}]
    notify.offer("Neuwort")
    assert notify.mail("change@example.org", 2)["Subject"] == "Neu: Neuwort"
    _, others = notify.register("other@example.org")
    assert notify.http.get(path, headers=others).status_code == 404
    assert notify.http.delete(f"/v1/recipients/{recipient}", headers=headers).status_code == 204
    with notify.db.reading() as session:
        for table in ("subscription", "subscription_anchor", "notice"):
            column = "subscription_id" if table == "subscription_anchor" else "recipient_id"
            value = made["id"] if table == "subscription_anchor" else recipient
            query = text(f"SELECT count(*) FROM {table} WHERE {column} = :value")
            assert session.execute(query, {"value": value}).scalar() == 0


def test_what_makes_no_sense_and_too_much_is_refused(notify: Notify) -> None:
    recipient, headers = notify.register("refused@example.org")
    asked = {"recipient_id": recipient, "filter": {"open_now": True}}
    answer = notify.http.post("/v1/subscriptions", json=asked, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "filter.open_now")
    for number in range(100):
        follow(notify, recipient, headers, {"q": f"wort{number}"})
    asked = {"recipient_id": recipient, "filter": {"q": "zuviel"}}
    answer = notify.http.post("/v1/subscriptions", json=asked, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-subscriptions")


def test_a_kill_in_the_middle_of_matching_loses_and_doubles_nothing(lone: Notify) -> None:
    people = {}
    for number in range(3):
        recipient, headers = lone.confirmed(f"kill-{number}@example.org")
        follow(lone, recipient, headers, {"q": "killtest"})
        people[f"kill-{number}@example.org"] = recipient
    facts = [f"Killtest {number}" for number in range(KILL_FACTS)]
    for title in facts[: KILL_FACTS // 2]:
        lone.offer(title)
    until(lambda: notices(lone, next(iter(people.values()))))
    lone.stack.kill9("notify")
    for title in facts[KILL_FACTS // 2 :]:
        lone.offer(title)
    lone.stack.launch("notify")

    def told_all(recipient: str) -> bool:
        return sum(each.status == "told" for each in notices(lone, recipient)) == KILL_FACTS

    until(lambda: all(map(told_all, people.values())), 60)
    until(lambda: len(mail.messages(lone.stack.home)) >= len(people) * (KILL_FACTS + 1), 60)
    for address, recipient in people.items():
        # What was handed over when it was killed comes again under the same id, so that it can be recognised.
        once = {str(each["Message-ID"]): str(each["Subject"]) for each in lone.mails(address)[1:]}
        told = [subject.removeprefix("Neu: ") for subject in once.values()]
        assert sorted(told) == sorted(facts)
        assert len({each.fact_id for each in notices(lone, recipient)}) == KILL_FACTS


def raw_mails(notify: Notify) -> list[bytes]:
    """Every mail as it came over the wire."""
    box = mailbox.Maildir(folder_of(notify.stack.home), create=False)
    return [box.get_bytes(key) for key in box.iterkeys()]
