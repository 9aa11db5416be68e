"""Dead letters on a real broker: listed, shown, sent back to their consumer, dropped."""

import asyncio
from collections.abc import Iterator

import nats
import pytest
from nats.js.api import RawStreamMsg

from libs.contracts.topology import DEAD, INTERNAL, dead_subject
from tests.cli.conftest import Coburg
from tests.stack import Stack

SUBJECT = "city.offers.offer.published.v1.0190"
HEADERS = {
    "Nats-Msg-Id": "0190",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Coburg-Reason": "unhandled",
    "Coburg-Exception": "ValueError: [no] such board",
    "Coburg-Attempts": "5",
    "Coburg-Consumer": "search",
    "Coburg-Subject": SUBJECT,
    "Coburg-Time": "2026-11-21T20:00:00Z",
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("dead")) as stack:
        stack.start("nats").provision()
        yield stack


def dead_letter(broker: Stack, consumer: str = "search", number: int = 1) -> int:
    """Puts a dead letter where the retry middleware would."""

    async def publish() -> int:
        connection = await nats.connect(broker.url("nats"))
        own = {"Coburg-Consumer": consumer, "Nats-Msg-Id": f"{consumer}{number}"}
        ack = await connection.jetstream().publish(
            dead_subject(consumer, SUBJECT), b'{"id": "0190"}', headers=HEADERS | own
        )
        await connection.close()
        return ack.seq

    return asyncio.run(publish())


def last(broker: Stack, subject: str) -> RawStreamMsg:
    """The newest message of INTERNAL on a subject."""

    async def get() -> RawStreamMsg:
        connection = await nats.connect(broker.url("nats"))
        message = await connection.jetstream().get_last_msg(INTERNAL.name, subject)
        await connection.close()
        return message

    return asyncio.run(get())


def left(broker: Stack) -> int:
    """How many dead letters there are."""

    async def count() -> int:
        connection = await nats.connect(broker.url("nats"))
        info = await connection.jetstream().stream_info(DEAD.name)
        await connection.close()
        return info.state.messages

    return asyncio.run(count())


def test_a_dead_letter_is_listed_and_shown(broker: Stack, coburg: Coburg) -> None:
    sequence = dead_letter(broker)

    listed = coburg(broker.home.environ, "dead", "list", "--consumer", "search")
    shown = coburg(broker.home.environ, "dead", "show", str(sequence))

    assert SUBJECT in listed.stdout
    assert "unhandled" in listed.stdout
    assert "ValueError: [no] such board" in shown.stdout
    assert '"id": "0190"' in shown.stdout


def test_a_replay_goes_to_its_consumer_only_and_can_not_be_taken_for_a_duplicate(
    broker: Stack, coburg: Coburg
) -> None:
    sequence = dead_letter(broker, number=2)

    result = coburg(broker.home.environ, "dead", "replay", str(sequence))

    message = last(broker, f"internal.replay.search.{SUBJECT}")
    assert result.returncode == 0, result.stderr
    assert message.data == b'{"id": "0190"}'
    assert message.headers == {"traceparent": HEADERS["traceparent"]}
    assert coburg(broker.home.environ, "dead", "show", str(sequence)).returncode == 1


def test_drop_takes_only_what_was_chosen(broker: Stack, coburg: Coburg) -> None:
    coburg(broker.home.environ, "dead", "drop", "--all", "--yes")
    dead_letter(broker, number=3)
    dead_letter(broker, "notify", number=3)

    coburg(broker.home.environ, "dead", "drop", "--all", "--consumer", "notify", "--yes")

    assert left(broker) == 1


@pytest.mark.parametrize("words", [("replay",), ("drop", "7", "--all")])
def test_it_must_be_clear_which_ones(broker: Stack, coburg: Coburg, words: tuple[str, ...]) -> None:
    result = coburg(broker.home.environ, "dead", *words)

    assert (result.returncode, "Which ones?" in result.stderr) == (1, True)


def test_without_a_broker_it_says_so(tmp_path_factory: pytest.TempPathFactory, coburg: Coburg) -> None:
    result = coburg(Stack(tmp_path_factory.mktemp("none")).home.environ, "dead", "list")

    assert result.returncode == 1
    assert "NATS does not answer" in result.stderr
    assert "Traceback" not in result.stderr
