"""Boards: they follow the town's folder, each change a fact; their rules decide on an offer's own fields."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import Session

from cli.home import ROOT
from libs.servicekit.db import Database
from libs.servicekit.tables import outbox
from services.offers.boards.commands import follow, read_declarations
from services.offers.boards.domain import Declaration, check_fields, facets, keywords
from services.offers.boards.models import Board
from services.offers.boards.values import MAX_NUMBER
from tests.offers.conftest import PUBLISHER, Offers
from tests.service import problem

MIGRATIONS = ROOT / "services" / "offers" / "migrations"
HERE = Path(__file__).parent / "city" / "boards"
COURSE = read_declarations(HERE)[0]


@pytest.fixture
def db(database_url: str) -> Any:
    db = Database(database_url, PUBLISHER)
    db.migrate(MIGRATIONS)
    yield db
    db.dispose()


@pytest.fixture
def lone_db(tmp_path: Path) -> Any:
    db = Database(f"sqlite:///{tmp_path / 'boards.db'}", PUBLISHER)
    db.migrate(MIGRATIONS)
    yield db
    db.dispose()


def told(session: Session) -> list[str]:
    return [
        subject.removeprefix("city.offers.board.")
        for subject in session.execute(select(outbox.c.subject).order_by(outbox.c.id)).scalars()
    ]


def test_boards_follow_the_folder(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text('title = { de = "Werkzeug" }')
    steps: list[tuple[str | None, Callable[[], object]]] = [
        ("published.v1.tools", lambda: None),
        (None, lambda: None),
        ("changed.v1.tools", lambda: file.write_text('title = { de = "Werkzeuge" }')),
        (None, lambda: file.write_text('# rewritten\ntitle.de = "Werkzeuge"')),
        ("withdrawn.v1.tools", file.unlink),
        (None, lambda: None),
        ("published.v1.tools", lambda: file.write_text('title = { de = "Werkzeuge" }')),
    ]
    expected = []
    for fact, change in steps:
        change()
        with db.transaction() as session:
            follow(session, read_declarations(tmp_path))
        expected += [fact] if fact else []
        with db.reading() as session:
            assert told(session) == expected
            assert session.get_one(Board, "tools").version == len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "title = ",
        "",
        "title = 3",
        'title.de = "x"\nsurprise = 1',
        'title.de = "x"\nfields = [{ name = "a", type = "colour", label = { de = "A" } }]',
        'title.de = "x"\nfields = [{ name = "A B", type = "text", label = { de = "A" } }]',
        'title.de = "x"\nfields = [{ name = "a", type = "choice", label = { de = "A" } }]',
        'title.de = "x"\nfields = [{ name = "near", type = "text", facet = true, label = { de = "A" } }]',
        'title.de = "x"\n' + '[[fields]]\nname = "a"\ntype = "text"\nlabel = { de = "A" }\n' * 2,
        'title.de = "x"\n' + '[[steps]]\nname = "a"\nactor = "editor"\nlabel = { de = "A" }\n' * 2,
        'title.de = "x"\nfields = [{ name = "a", type = "integer", label = { de = "A" }, default = "x" }]',
        'title.de = "x"\nfields = [{ name = "a", type = "choice", label = { de = "A" }, options = ['
        '{ value = "b", label = { de = "B" } }, { value = "b", label = { de = "C" } }] }]',
        'title.de = "x"\ntexts.intro = {}',
        'title.de = "x"\ntexts.intro.de = "' + "x" * 20_001 + '"',
        'title.de = "x"\n' + "".join(f'texts.t{n}.de = "{"x" * 19_000}"\n' for n in range(9)),
    ],
)
def test_a_wrong_declaration_names_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "good.toml").write_text('title = { de = "Gut" }')
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(ValueError, match=r"wrong\.toml: .+"):
        read_declarations(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_bytes(b'title = { de = "\xff" }')
    with pytest.raises(ValueError, match=r"wrong\.toml"):
        read_declarations(tmp_path)


def test_a_slug_comes_from_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "Not A Slug.toml").write_text('title = { de = "x" }')
    with pytest.raises(ValueError, match="Not A Slug"):
        read_declarations(tmp_path)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a": "none"}, "board a: derived from none, which is no board"),
        ({"a": "a"}, "derived from itself"),
        ({"a": "b", "b": "a"}, "derived from itself, by way of a, b"),
    ],
)
def test_a_line_of_boards_has_a_beginning(
    lone_db: Database, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    for slug, parent in files.items():
        (tmp_path / f"{slug}.toml").write_text(f'title.de = "x"\nderived_from = "{parent}"')
    with pytest.raises(ValueError, match=reason), lone_db.transaction() as session:
        follow(session, read_declarations(tmp_path))


def test_a_board_says_its_steps_and_texts_on_the_bus(lone_db: Database, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('title.de = "A"')
    (tmp_path / "b.toml").write_text(
        'title.de = "B"\nderived_from = "a"\ntexts.intro.de = "Hallo"\n'
        '[[steps]]\nname = "ask"\nactor = "requester"\nlabel.de = "Anfragen"\n'
    )
    with lone_db.transaction() as session:
        follow(session, read_declarations(tmp_path))
        bodies = session.execute(select(outbox.c.body).order_by(outbox.c.id)).scalars()
        fact = json.loads(list(bodies)[1])["data"]
    assert (fact["derived_from"], fact["texts"]) == ("a", {"intro": {"de": "Hallo"}})
    assert fact["steps"][0]["actor"] == "requester"


GOOD = {
    "level": "easy",
    "topics": ["art", "sport"],
    "size": 12,
    "hours_total": 1.5,
    "online": True,
    "note": "Bitte Schürze mitbringen",
    "begins": "2026-12-24",
    "plan": "https://coburg.example/plan?x=1#a",
    "open": "Mo-Fr 07:00-18:00",
}
BAD: dict[str, list[Any]] = {
    "level": ["medium", "", 1, ["easy"], True],
    "topics": ["art", ["art", "art"], ["dance"], [1], [["art"]], {}],
    "size": [1.5, "1", True, MAX_NUMBER + 1, -MAX_NUMBER - 1],
    "hours_total": ["1", False, float("inf"), float("nan"), 1e300],
    "online": ["true", 1, 0],
    "note": [1, "x" * 2001, []],
    "begins": ["24.12.2026", "2026-02-30", 20261224, "", []],
    "plan": [
        "coburg.example",
        "ftp://a.example",
        "javascript:alert(1)",
        "http://a b.example",
        "https://u@a.example",
        "https://a.example/\n",
        1,
    ],
    "open": [7, "", " "],
}


def test_every_good_value_is_taken() -> None:
    assert not list(check_fields(COURSE, GOOD, complete=True))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]])
def test_a_value_that_does_not_fit_is_named_with_the_reason(name: str, value: Any) -> None:
    ((field, reason),) = check_fields(COURSE, GOOD | {name: value}, complete=False)
    assert field == name
    assert reason


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "unknown"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        ),
    )
)
def test_checking_never_fails_and_what_it_admits_can_be_found(values: dict[str, Any]) -> None:
    if not list(check_fields(COURSE, values, complete=False)):
        words, numbers = facets(COURSE, values)
        assert all(isinstance(word, str) and word for found in words.values() for word in found)
        assert all(isinstance(number, float) for number in numbers.values())
        keywords(COURSE, values)


def test_required_fields_are_asked_for_when_an_offer_is_to_be_complete() -> None:
    for empty in ({}, {"level": None}, {"level": ""}):
        assert "level" in dict(check_fields(COURSE, empty, complete=True))
    assert not list(check_fields(COURSE, {}, complete=False))
    assert dict(check_fields(COURSE, {"colour": "red"}, complete=False)) == {
        "colour": "board course has no such field"
    }


def test_facets_and_keywords_of_an_offer() -> None:
    words, numbers = facets(COURSE, GOOD)
    assert words == {"level": ["easy"], "topics": ["art", "sport"], "online": ["true"]}
    assert numbers == {"size": 12.0}
    assert keywords(COURSE, GOOD) == ["leicht", "easy", "Kunst", "Sport"]


def test_the_towns_own_boards_are_sound() -> None:
    assert {board.slug for board in read_declarations(ROOT / "city" / "boards")} >= {"kita"}


def test_a_declaration_is_strict() -> None:
    with pytest.raises(ValidationError):
        Declaration.model_validate({"slug": "a", "title": {"de": "x"}, "languages": "de"})


def test_boards_are_read_by_anybody(service: Offers) -> None:
    boards = {board["slug"]: board for board in service.http.get("/v1/boards").json()["items"]}
    assert set(boards) >= {"course", "kita"}
    one = service.http.get("/v1/boards/course")
    assert one.json() == boards["course"]
    assert one.headers["ETag"] == f'"{boards["course"]["version"]}"'
    assert [field["name"] for field in one.json()["fields"]] == list(GOOD)
    problem(service.http.get("/v1/boards/none"), 404)
    problem(service.http.get("/v1/boards/N%00"), 422)


def test_an_opened_board_is_on_the_bus(service: Offers) -> None:
    (fact,) = service.facts("course", "board")
    assert fact["type"] == "de.coburg.offers.board.published.v1"
    assert fact["data"]["card"]["kind"] == "board"
    assert len(fact["data"]["fields"]) == len(GOOD)
