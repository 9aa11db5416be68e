"""Web push against a stand-in for a push service, which decrypts as a browser would (RFC 8291)."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from libs.contracts.messages import BookingApproved
from libs.contracts.notify import Subject
from services.notify.deliveries.domain import Outcome
from services.notify.deliveries.push import outcome_of
from services.notify.posting import Result
from tests.notify.conftest import Notify
from tests.notify.endpoint import Taken, listening
from tests.waiting import until

AUTH = b"0123456789abcdef"
MESSAGE = BookingApproved(booking="b", places=1, token="opens-it")


class Browser:
    """The receiving end: its keys, and what it makes of what arrives."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str) -> dict[str, Any]:
        return {"endpoint": endpoint, "keys": {"p256dh": b64(self.point), "auth": b64(AUTH)}}

    def read(self, body: bytes) -> dict[str, Any]:
        """One record of aes128gcm (RFC 8188): salt, size, the sender's key, the text."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self._key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )
        secret = derived(shared, AUTH, b"WebPush: info\x00" + self.point + sender, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\x00", 12)
        text = AESGCM(key).decrypt(nonce, sealed, None)
        assert text.rstrip(b"\x00").endswith(b"\x02"), "the last record says that it is"
        found: dict[str, Any] = json.loads(text.rstrip(b"\x00")[:-1])
        return found


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def registered(notify: Notify, browser: Browser, endpoint: str) -> str:
    body = {"channel": "push", "subscription": browser.subscription(endpoint), "language": "de"}
    answer = notify.http.post("/v1/recipients", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "confirmed", "the browser asked its user"
    return str(answer.json()["id"])


def signed_by_the_town(notify: Notify, taken: Taken) -> dict[str, Any]:
    """The claims of the VAPID token, checked with the key that browsers subscribe with."""
    key = notify.http.get("/v1/push/key").json()["key"]
    point = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
    token = taken.headers["authorization"].removeprefix("vapid t=").partition(",")[0]
    claims: dict[str, Any] = jwt.decode(token, public, algorithms=["ES256"]).claims
    return claims


def test_a_browser_reads_what_the_town_signed(notify: Notify) -> None:
    browser = Browser()
    with listening() as service:
        recipient = registered(notify, browser, service.url)
        fact = notify.ask(recipient, MESSAGE, Subject(kind="offer", id=notify.offer("Schwimmen")))
        notify.settled(fact)
        (taken,) = service.taken
    shown = browser.read(taken.body)
    assert shown["title"].endswith("Schwimmen")
    assert shown["url"].startswith("http")
    assert taken.headers["content-encoding"] == "aes128gcm"
    assert int(taken.headers["ttl"]) > 0
    assert signed_by_the_town(notify, taken)["sub"].startswith("mailto:")


def test_a_subscription_that_is_gone_gets_nothing_more(notify: Notify) -> None:
    browser = Browser()
    with listening() as service:
        service.always = 410
        recipient = registered(notify, browser, service.url)
        about = Subject(kind="offer", id="o")
        assert notify.settled(notify.ask(recipient, MESSAGE, about))[0]["status"] == "failed"
        assert notify.settled(notify.ask(recipient, MESSAGE, about))[0]["reason"] == "suppressed"
        assert len(service.taken) == 1


def test_a_push_service_that_fails_is_tried_again(notify: Notify) -> None:
    browser = Browser()
    with listening() as service:
        service.answers = [503]
        fact = notify.ask(registered(notify, browser, service.url), MESSAGE, Subject(kind="offer", id="o"))
        (delivery,) = until(lambda: [each for each in notify.deliveries(fact) if each["attempts"]])
        assert delivery["status"] == "due"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, Outcome.SENT),
        (404, Outcome.NO_SUCH_ADDRESS),
        (410, Outcome.NO_SUCH_ADDRESS),
        (413, Outcome.REFUSED),
        (429, Outcome.LATER),
        (None, Outcome.LATER),
        (503, Outcome.LATER),
    ],
)
def test_what_a_push_service_answers(status: int | None, outcome: Outcome) -> None:
    assert outcome_of(Result(status, "")) is outcome
