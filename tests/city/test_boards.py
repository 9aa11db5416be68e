"""The boards that the town declares: they read, and citizens can be shown every field in German and English."""

import re
from collections import defaultdict

import pytest

from cli.home import ROOT
from libs.contracts.card import Text
from services.offers.boards.commands import read_declarations
from services.offers.boards.domain import Declaration

BOARDS = {board.slug: board for board in read_declarations(ROOT / "city" / "boards")}


def test_the_boards_of_the_town() -> None:
    assert set(BOARDS) == {
        "familie",
        "ferien",
        "gesundheit",
        "gruender",
        "kita",
        "ks-cob",
        "pflege",
        "raum",
        "sport",
    }


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_board_introduces_itself_in_three_languages(board: Declaration) -> None:
    assert set(board.title) == set(board.summary) == {"de", "en", "de-simple"}
    assert 5 <= len(board.fields) <= 10


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_field_and_option_has_a_german_and_an_english_name(board: Declaration) -> None:
    labels = [field.label for field in board.fields]
    labels += [option.label for field in board.fields for option in field.options]
    assert all(label.get("de") and label.get("en") for label in labels)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_board_explains_itself(board: Declaration) -> None:
    assert set(board.texts) >= {"intro", "how_to", "contact"}
    assert {"de", "en", "de-simple"} <= set(board.texts["intro"])
    assert all({"de", "en"} <= set(text) for text in board.texts.values())
    for sentence in re.split(r"[.?:] ", board.texts["intro"]["de-simple"]):
        assert len(sentence.split()) <= 12, sentence
    assert len({text["de"] for other in BOARDS.values() for text in [other.texts["intro"]]}) == len(BOARDS)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_the_way_that_people_go_is_told_step_by_step(board: Declaration) -> None:
    assert 5 <= len(board.steps) <= 7
    assert {step.actor for step in board.steps} <= {"requester", "provider", "editor", "everyone"}
    assert {"requester", "provider"} <= {step.actor for step in board.steps}
    assert all(words.keys() >= {"de", "en"} for step in board.steps for words in (step.label, step.text))


def test_boards_were_derived_from_those_that_came_first() -> None:
    assert {board.slug: board.derived_from for board in BOARDS.values() if board.derived_from} == {
        "sport": "ks-cob",
        "ferien": "ks-cob",
        "familie": "ks-cob",
        "gesundheit": "ks-cob",
        "gruender": "ks-cob",
        "pflege": "kita",
    }


def test_fields_of_the_same_name_are_of_one_type_on_all_boards() -> None:
    kinds = defaultdict(set)
    for board in BOARDS.values():
        for field in board.fields:
            kinds[field.name].add(field.type.rstrip("s"))
    assert {name for name, found in kinds.items() if len(found) > 1} == set()


def test_an_option_shared_by_boards_has_one_name() -> None:
    # Facets are counted over all boards: `cost=free` must not mean one thing here and another there.
    shared = ("cost", "languages", "level", "registration", "audience", "venue")
    names: dict[tuple[str, str], list[Text]] = defaultdict(list)
    for board in BOARDS.values():
        for field in board.fields:
            for option in field.options if field.name in shared else []:
                names[field.name, option.value].append(option.label)
    assert [key for key, labels in names.items() if any(label != labels[0] for label in labels)] == []


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_board_funds_bookings_in_its_own_way(board: Declaration) -> None:
    assert board.funding is not None
    caps = (board.funding.per_person_cents, board.funding.per_booking_cents, board.funding.per_group_cents)
    assert any(caps), "one booking must not take the whole budget"
    others = [other.funding for other in BOARDS.values() if other is not board]
    assert board.funding not in others
    told = [*board.texts.values(), *(step.text for step in board.steps)]
    for language, town in (("de", "Zuschuss|Stadt"), ("en", "grant|town")):
        assert re.search(town, " ".join(text[language] for text in told))


def test_slots_are_paid_for_by_what_their_price_is_for() -> None:
    rules = BOARDS["raum"].booking
    assert rules and rules.slots and rules.slots.billing
    options = {option.value for option in BOARDS["raum"].by_name[rules.slots.billing.field].options}
    assert set(rules.slots.billing.minutes) == options


def test_slots_go_by_fields_that_there_are() -> None:
    board = BOARDS["raum"]
    assert board.booking and board.booking.slots
    kinds = {
        name: board.by_name[name].type
        for name in (board.booking.slots.hours, board.booking.slots.opens)
        if name
    }
    assert list(kinds.values()) == ["hours", "date"]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_board_can_be_booked_and_asks_in_german_and_english(board: Declaration) -> None:
    assert board.booking is not None
    labels = [board.places.label, *(field.label for field in board.booking.form)]
    labels += [option.label for field in board.booking.form for option in field.options]
    assert all(label.get("de") and label.get("en") for label in labels)
    assert (board.booking.slots is not None) == (board.slug == "raum")
    assert board.booking.hold != board.places.stated, "what is stated is taken by an approval only"
