"""What a citizen hears: an address is registered, a date booked, moved and cancelled, and each is a mail in the mailbox."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from cli.home import ROOT
from tests.stack import Stack
from tests.waiting import until

TITLE = "Schattentheater zum Mitmachen"
START = (datetime.now(UTC) + timedelta(days=60)).replace(hour=9, minute=0, second=0, microsecond=0)


def coburg(stack: Stack, *words: str) -> str:
    """A command of `./coburg`, its output."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=dict(stack.home.environ),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def mails(stack: Stack, to: str) -> list[dict[str, Any]]:
    """What an address got, by the command that a person would use."""
    found = json.loads(coburg(stack, "mail", "list", "--json"))
    return [each for each in found if each["to"] == to]


def offer_with_a_date(offers: httpx2.Client, provider: str | None = None) -> tuple[str, dict[str, Any]]:
    """A published offer of the exchange of school culture, and its one date."""
    fields = {"art": ["theatre"], "grade": ["1-2"], "format": "taster"}
    content = {"title": {"de": TITLE}, "place": {"locality": "Coburg"}, "fields": fields}
    body = {"board": "ks-cob", "provider_id": provider, "publish": True, "content": content}
    made = offers.post("/v1/offers", json=body)
    assert made.status_code == 201, made.text
    offer = str(made.json()["id"])
    date = {
        "starts_at": START.isoformat(),
        "ends_at": (START + timedelta(hours=2)).isoformat(),
        "places_max": 30,
    }
    session = offers.post(f"/v1/offers/{offer}/sessions", json=date)
    assert session.status_code == 201, session.text
    (found,) = offers.get(f"/v1/offers/{offer}/sessions").json()["items"]
    return offer, found


class Citizen:
    """Somebody with an address and no account."""

    def __init__(self, stack: Stack, address: str) -> None:
        self.stack, self.address = stack, address
        self.notify = httpx2.Client(base_url=stack.url("notify"), timeout=20)
        self.offers = httpx2.Client(base_url=stack.url("offers"), timeout=20)
        person = {"channel": "mail", "address": address, "language": "de"}
        made = self.notify.post("/v1/recipients", json=person).json()
        self.id, self.proof = made["id"], {"Recipient-Token": made["token"]}

    def book(self, offer: str, date: str, headers: dict[str, str]) -> httpx2.Response:
        form = {"institution": "Heiligkreuz-Schule", "school_level": "1-4", "children": 20, "adults": 2}
        wanted = {"offer_id": offer, "session_ids": [date], "recipient_id": self.id, "form": form}
        return self.offers.post("/v1/bookings", json=wanted, headers=headers)

    def mail(self, subject: str) -> dict[str, Any]:
        """The mail whose subject begins so, once it is there."""
        return until(
            lambda: [m for m in mails(self.stack, self.address) if m["subject"].startswith(subject)]
        )[0]

    def confirm(self) -> None:
        """Type the code of the mail."""
        code = re.search(r"\b[A-HJ-NP-Z2-9]{10}\b", self.mail("Bitte bestätigen")["text"])
        assert code
        self.notify.post(f"/v1/recipients/{self.id}/confirm", json={"code": code[0]}).raise_for_status()


def test_a_booking_is_heard_of_until_its_date_falls_out(proven: Stack) -> None:
    editor = httpx2.Client(base_url=proven.url("offers"), headers=proven.headers("editor"), timeout=20)
    offer, date = offer_with_a_date(editor)
    anna = Citizen(proven, "anna@example.org")
    assert anna.book(offer, date["id"], {}).status_code == 401, "an id alone is no proof"
    booked = anna.book(offer, date["id"], anna.proof)
    assert booked.status_code == 201, booked.text

    assert "Danach senden wir" in anna.mail("Bitte bestätigen")["text"], "says what waits"
    assert len(mails(proven, anna.address)) == 1
    anna.confirm()
    assert TITLE in anna.mail("Anfrage")["text"]

    later = START + timedelta(days=1)
    move(
        editor,
        date["id"],
        "move",
        {
            "starts_at": later.isoformat(),
            "ends_at": (later + timedelta(hours=2)).isoformat(),
            "reason": "other",
        },
    )
    assert TITLE in anna.mail("Neue Zeit")["text"]
    move(editor, date["id"], "cancel", {"reason": "other"})
    cancelled = anna.mail("Abgesagt")
    numbers = [
        each["number"] for each in mails(proven, anna.address) if each["subject"].startswith("Abgesagt")
    ]
    assert TITLE in coburg(proven, "mail", "show", str(numbers[0]))
    assert cancelled["message_id"].endswith("@coburg.de>")


def move(editor: httpx2.Client, session: str, step: str, body: dict[str, Any]) -> None:
    """Move or cancel a date, as it is seen now."""
    seen = {"If-Match": editor.get(f"/v1/sessions/{session}").headers["ETag"]}
    answer = editor.post(f"/v1/sessions/{session}/{step}", json=body, headers=seen)
    assert answer.status_code == 200, answer.text
