"""Boards derived from others: they hear what changes at their parent, answer, and their offers follow what they declare."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from cli.home import ROOT
from libs.servicekit.db import Database
from libs.servicekit.errors import Conflict
from services.offers.blueprints import commands, queries
from services.offers.blueprints.domain import Derivation, Taken
from services.offers.blueprints.models import BoardMigration, Improvement
from services.offers.boards.commands import read_declarations
from services.offers.boards.models import Board, Origin
from services.offers.offers.models import Offer
from tests.offers.conftest import COURSE, PUBLISHER, Offers
from tests.service import problem
from tests.waiting import until

NUMBER = count(1)
OPEN = {"name": "open_to_all", "type": "boolean", "label": {"de": "Offen für alle"}, "facet": True}


def slug_of(prefix: str) -> str:
    return f"{prefix}-{next(NUMBER)}"


def derived(service: Offers, parent: str = "course", **wish: Any) -> str:
    """A board of the test's own."""
    slug = slug_of("board")
    body = {"slug": slug, "title": {"de": f"Börse {slug}"}} | wish
    answer = service.call("POST", f"/v1/boards/{parent}/derive", body, "editor")
    assert answer.status_code == 201, answer.text
    assert (answer.headers["Location"], answer.headers["ETag"]) == (f"/v1/boards/{slug}", '"1"')
    return slug


def line(service: Offers) -> tuple[str, str]:
    """A parent that can be changed here, and its child."""
    parent = derived(service)
    return parent, derived(service, parent)


def put(service: Offers, slug: str, /, **said: Any) -> Any:
    """Change some of what a board declares."""
    now = service.http.get(f"/v1/boards/{slug}").json()
    version, _ = now.pop("version"), now.pop("origin")
    return service.call("PUT", f"/v1/boards/{slug}", now | said, "editor", version=version)


def with_field(service: Offers, slug: str, name: str, **attributes: Any) -> Any:
    """Change attributes of one field; None takes it out."""
    fields = service.http.get(f"/v1/boards/{slug}").json()["fields"]
    if attributes.get("type", "") is None:
        return put(service, slug, fields=[field for field in fields if field["name"] != name])
    changed = [field | (attributes if field["name"] == name else {}) for field in fields]
    return put(service, slug, fields=changed)


def improvements(service: Offers, slug: str, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.http.get(
        f"/v1/boards/{slug}/improvements", params={"status": "offered"} | query
    ).json()["items"]
    return found


def reply(service: Offers, one: dict[str, Any], answer: str, **body: Any) -> Any:
    path = f"/v1/boards/{one['board']}/improvements/{one['id']}/{answer}"
    return service.call("POST", path, body, "editor", version=one["version"])


def settled(service: Offers, slug: str) -> dict[str, Any]:
    """The last work on a board's offers, done."""

    def last() -> dict[str, Any] | None:
        found = service.call("GET", f"/v1/boards/{slug}/migrations", None, "editor").json()["items"]
        return found[-1] if found and found[-1]["finished_at"] else None

    found = until(last, 30)
    assert found
    return found


def test_a_board_is_derived_with_what_it_wants_and_is_a_board_like_any(service: Offers) -> None:
    own = {"fields": [OPEN], "texts": {"intro": {"de": "Neu hier"}}}
    slug = derived(service, fields=["level"], sections=[], own=own)
    board = service.http.get(f"/v1/boards/{slug}").json()
    assert [field["name"] for field in board["fields"]] == ["level", "open_to_all"]
    assert (board["derived_from"], board["origin"]) == ("course", "derived")
    (fact,) = service.facts(slug, "board")
    assert fact["type"].endswith("board.published.v1")
    assert fact["data"]["derived_from"] == "course"
    offer = service.draft(
        COURSE | {"fields": {"level": "easy", "open_to_all": True}}, board=slug, publish=True
    )
    assert service.facts(offer)[0]["data"]["card"]["facets"]["open_to_all"] == ["true"]


@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({"slug": "course"}, 409, None),
        ({"fields": ["colour"]}, 422, "fields"),
        ({"own": {"sections": {"magic": {}}}}, 422, "own.sections"),
        ({"own": {"fields": [OPEN | {"type": "colour"}]}}, 422, "own.fields.0.type"),
        ({"own": {"fields": [OPEN | {"type": "choice"}]}}, 422, ""),
        ({"title": {}}, 422, "title"),
        ({"own": {"texts": {f"t{n}": {"de": "x" * 19_000} for n in range(9)}}}, 422, ""),
    ],
)
def test_a_derivation_that_makes_no_sense_is_explained(
    service: Offers, wish: dict[str, Any], status: int, field: str | None
) -> None:
    body = {"slug": slug_of("odd"), "title": {"de": "Seltsam"}} | wish
    told = problem(service.call("POST", "/v1/boards/course/derive", body, "editor"), status)
    assert field is None or told["errors"][0]["field"] == field


def test_a_derivation_happens_once(service: Offers) -> None:
    slug = slug_of("once")
    for replayed in (None, "true"):
        body = {"slug": slug, "title": {"de": "Einmal"}}
        answer = service.call(
            "POST", "/v1/boards/course/derive", body, "editor", headers={"Idempotency-Key": slug}
        )
        assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (201, replayed)


def test_what_improves_at_the_parent_is_offered_and_answered(service: Offers) -> None:
    parent, child = line(service)
    put(
        service,
        parent,
        texts={"intro": {"de": "Willkommen"}},
        steps=[{"name": "ask", "label": {"de": "Anfragen"}, "actor": "requester"}],
    )
    text, step = sorted(
        improvements(service, child), key=lambda one: str(one["change"]["kind"]), reverse=True
    )
    assert [(one["change"]["kind"], one["source"], one["effect"]) for one in (text, step)] == [
        ("text_changed", parent, "clean"),
        ("step_added", parent, "clean"),
    ]
    problem(
        service.call("POST", f"/v1/boards/{child}/improvements/{text['id']}/accept", {}, "editor", version=9),
        412,
    )
    accepted = reply(service, text, "accept", reason="Das hilft.")
    assert (accepted.json()["status"], accepted.headers["ETag"]) == ("accepted", '"2"')
    problem(reply(service, text | {"version": 2}, "decline", reason="Doch nicht."), 409)
    problem(reply(service, step, "decline"), 422)
    assert reply(service, step, "decline", reason="Bei uns ruft man an.").json()["status"] == "declined"
    board = service.http.get(f"/v1/boards/{child}").json()
    assert (board["texts"], board["steps"]) == ({"intro": {"de": "Willkommen"}}, [])
    assert service.told(text["id"]) == [("offered", 1), ("accepted", 2)]
    last = service.facts(step["id"])[-1]["data"]
    assert (last["reason"], last["board"], last["change"]["path"]) == (
        "Bei uns ruft man an.",
        child,
        ["steps", "ask"],
    )
    put(service, parent, summary={"de": "Mehr"})
    assert [one["change"]["path"] for one in improvements(service, child)] == [["summary", "de"]], (
        "what was answered stays so"
    )


def test_a_question_follows_its_source_until_it_is_answered(service: Offers) -> None:
    parent, child = line(service)
    put(service, parent, texts={"intro": {"de": "Eins"}})
    (first,) = improvements(service, child)
    put(service, parent, texts={"intro": {"de": "Zwei"}})
    (second,) = improvements(service, child)
    assert (second["id"], second["version"], second["change"]["after"]) == (first["id"], 2, "Zwei")
    problem(reply(service, first, "accept"), 412)
    put(service, parent, texts={})
    assert improvements(service, child) == []
    assert service.told(first["id"]) == [("offered", 1), ("offered", 2), ("lapsed", 3)]


def test_a_board_that_went_its_own_way_is_told_of_the_conflict(service: Offers) -> None:
    parent, child = line(service)
    with_field(service, child, "note", label={"de": "Unser Hinweis"})
    with_field(service, parent, "note", label={"de": "Bitte beachten"})
    (one,) = improvements(service, child)
    assert (one["effect"], "label of fields.note" in one["conflict"]) == ("conflict", True)
    assert "label of fields.note" in problem(reply(service, one, "accept"), 409)["detail"]
    problem(reply(service, one, "accept", instead={"label": 3}), 422)
    adapted = reply(service, one, "accept", instead={"label": {"de": "Bitte lesen"}}).json()
    assert (adapted["adapted"], adapted["change"]["after"]) == (True, {"label": {"de": "Bitte lesen"}})
    fields = {field["name"]: field for field in service.http.get(f"/v1/boards/{child}").json()["fields"]}
    assert fields["note"]["label"] == {"de": "Bitte lesen"}
    with_field(service, parent, "note", label={"de": "Wichtig"})
    (again,) = improvements(service, child)
    assert reply(service, again, "accept", overwrite=True).json()["status"] == "accepted"


def test_improvements_that_belong_together_are_taken_over_together(service: Offers) -> None:
    parent, child = line(service)
    fields = service.http.get(f"/v1/boards/{parent}").json()["fields"]
    without = [field for field in fields if field["name"] not in ("size", "open")]
    assert put(service, parent, fields=without, standards=None).status_code == 200
    waiting = improvements(service, child)
    assert {".".join(one["change"]["path"]) for one in waiting} == {"fields.size", "fields.open", "standards"}
    (field,) = [one for one in waiting if one["change"]["path"] == ["fields", "size"]]
    problem(reply(service, field, "accept"), 422)
    path, body = f"/v1/boards/{child}/improvements/accept", {"reason": "Das passt auch bei uns."}
    stale = [{"id": one["id"], "version": 7} for one in waiting]
    problem(service.call("POST", path, body | {"improvements": stale}, "editor"), 412)
    taken = [{"id": one["id"], "version": 1} for one in waiting]
    answer = service.call("POST", path, body | {"improvements": taken}, "editor")
    assert {one["status"] for one in answer.json()["items"]} == {"accepted"}
    board = service.http.get(f"/v1/boards/{child}").json()
    assert (board["fields"], board["version"], improvements(service, child)) == (without, 2, [])


def test_what_a_child_does_by_itself_needs_no_answer(service: Offers) -> None:
    parent, child = line(service)
    put(service, parent, texts={"intro": {"de": "Hallo"}})
    (one,) = improvements(service, child)
    put(service, child, texts={"intro": {"de": "Hallo"}})
    assert improvements(service, child) == []
    assert service.told(one["id"])[-1] == ("accepted", 2)


def test_a_parent_learns_from_its_child_and_hands_it_on(service: Offers) -> None:
    parent, child = line(service)
    sister = derived(service, parent)
    put(service, child, texts={"tip": {"de": "Früh fragen"}})
    body = {"source": child, "paths": [["texts", "tip", "de"]]}
    told = problem(
        service.call("POST", f"/v1/boards/{parent}/improvements", body | {"source": "kita"}, "editor"), 422
    )
    assert told["errors"][0]["field"] == "source"
    wrong = body | {"paths": [["texts", "tip", "en"]]}
    problem(service.call("POST", f"/v1/boards/{parent}/improvements", wrong, "editor"), 422)
    suggested = service.call("POST", f"/v1/boards/{parent}/improvements", body, "editor")
    assert suggested.status_code == 201
    (one,) = improvements(service, parent)
    assert [one] == suggested.json()["items"]
    assert [given["id"] for given in improvements(service, child, direction="sent")] == [one["id"]]
    reply(service, one, "accept")
    assert improvements(service, child) == [], "who gave it has it"
    (handed,) = improvements(service, sister)
    assert handed["change"]["after"] == "Früh fragen"
    lineage = service.http.get(f"/v1/boards/{parent}/lineage").json()
    assert [one["slug"] for one in lineage["ancestors"]] == ["course"]
    assert {one["slug"]: one["replies"] for one in lineage["descendants"]} == {
        child: {},
        sister: {"offered": 1},
    }
    assert lineage["board"]["replies"] == {"accepted": 1}


def test_a_board_of_the_towns_folder_is_not_changed_here(service: Offers) -> None:
    said = service.http.get("/v1/boards/course").json()
    assert said["origin"] == "file"
    problem(put(service, "course", summary={"de": "Anders"}), 409)
    problem(service.call("POST", "/v1/boards/course/withdraw", None, "editor", version=said["version"]), 409)


def test_a_derived_board_keeps_its_name_and_its_parent(service: Offers) -> None:
    slug = derived(service)
    for name, value in (("slug", "other"), ("derived_from", None)):
        assert problem(put(service, slug, **{name: value}), 422)["errors"][0]["field"] == name
    same = put(service, slug)
    assert same.headers["ETag"] == '"1"', "the same is no change"


def test_a_derived_board_closes_and_opens_again(service: Offers) -> None:
    parent, child = line(service)
    offer = service.draft(board=child, publish=True)
    put(service, parent, texts={"intro": {"de": "Hallo"}})
    (one,) = improvements(service, child)
    said = service.http.get(f"/v1/boards/{child}").json()
    problem(service.call("POST", f"/v1/boards/{child}/withdraw", None, "editor", version=1), 409)
    service.move(offer, "withdraw", 1, "editor")
    closed = service.call("POST", f"/v1/boards/{child}/withdraw", None, "editor", version=1)
    assert closed.headers["ETag"] == '"2"'
    problem(service.http.get(f"/v1/boards/{child}"), 404)
    assert service.told(one["id"])[-1] == ("lapsed", 2)
    del said["version"], said["origin"]
    opened = service.call("PUT", f"/v1/boards/{child}", said, "editor", version=2)
    assert opened.json()["version"] == 3
    assert service.told(child) == [("published", 1), ("withdrawn", 2), ("published", 3)]
    assert [again["change"] for again in improvements(service, child)] == [one["change"]]


def test_offers_follow_their_board_and_nothing_is_lost(service: Offers) -> None:
    slug, provider = derived(service, sections=[]), service.provider()
    fields = {"level": "easy", "topics": ["art", "sport"], "size": 8, "note": "Schürze"}
    offer = service.draft(COURSE | {"fields": fields}, provider, board=slug, publish=True)
    untouched = service.draft(board=slug, publish=True)
    levels = [{"value": "beginner", "label": {"de": "Einstieg"}, "was": ["easy"]}]
    now = service.http.get(f"/v1/boards/{slug}").json()["fields"]
    now = [each for each in now if each["name"] != "size"]
    now[0]["options"], now[1]["options"] = levels, now[1]["options"][:1]
    assert put(service, slug, fields=now).status_code == 200
    assert settled(service, slug)["flagged"] == 1
    changed = service.get(offer, "editor").json()
    assert (changed["status"], changed["version"]) == ("published", 2)
    assert changed["content"]["fields"] == {"level": "beginner", "topics": ["art"], "note": "Schürze"}
    assert {(flag["field"], str(flag["value"])) for flag in changed["flags"]} == {
        ("size", "8"),
        ("topics", "['sport']"),
    }
    assert service.get(untouched, "editor").json()["content"]["fields"] == {"level": "beginner"}
    last = service.facts(offer)[-1]
    assert (last["sequence"][-1], last["data"]["card"]["facets"]["topics"]) == ("2", ["art"])
    flagged_are_seen_by_those_who_can_mend_them(service, slug, offer, provider)
    put(service, slug, fields=[*now, {"name": "size", "type": "integer", "label": {"de": "Plätze"}}])
    assert settled(service, slug)["flagged"] == 1
    back = service.get(offer, "editor").json()
    assert (back["content"]["fields"]["size"], [flag["field"] for flag in back["flags"]]) == (8, ["topics"])
    path = f"/v1/offers/{offer}/flags/topics"
    gone = service.call("DELETE", path, None, "provider", providers=(provider,), version=3)
    assert (gone.json()["flags"], gone.json()["version"]) == ([], 4)
    problem(service.call("DELETE", path, None, "editor", version=4), 404)


def flagged_are_seen_by_those_who_can_mend_them(
    service: Offers, slug: str, offer: str, provider: str
) -> None:
    def seen(*roles: str, **more: Any) -> list[str]:
        path = f"/v1/offers?board={slug}&flagged=true"
        return [one["id"] for one in service.call("GET", path, None, *roles, **more).json()["items"]]

    assert seen("editor") == seen("provider", providers=(provider,)) == [offer]
    assert seen() == seen("provider", providers=(service.provider(),)) == []
    assert service.get(offer).json()["flags"] == []


def test_no_offer_slips_through_while_its_board_changes(service: Offers) -> None:
    slug = derived(service)
    body = {
        "board": slug,
        "publish": True,
        "content": COURSE | {"fields": {"level": "easy", "topics": ["sport"]}},
    }

    def write(_: int) -> int:
        return service.call("POST", "/v1/offers", body, "editor").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(write, range(60))
        fields = service.http.get(f"/v1/boards/{slug}").json()["fields"]
        fields[1]["options"] = fields[1]["options"][:1]
        assert put(service, slug, fields=fields).status_code == 200
        written = list(answers)
    assert set(written) <= {201, 422}
    assert settled(service, slug)["flagged"] == written.count(201)
    path = f"/v1/offers?board={slug}&flagged=true&limit=200"
    offers = service.call("GET", path, None, "editor").json()["items"]
    assert [offer["content"]["fields"] for offer in offers] == [
        {"level": "easy", "topics": []}
    ] * written.count(201)


def test_a_field_that_becomes_a_facet_can_be_filtered_by_at_once(service: Offers) -> None:
    slug = derived(service)
    offer = service.draft(COURSE | {"fields": {"level": "easy", "note": "kurz"}}, board=slug, publish=True)
    with_field(service, slug, "note", facet=True)
    settled(service, slug)
    assert service.facts(offer)[-1]["data"]["card"]["facets"]["note"] == ["kurz"]


# Files and derived boards side by side; what a start of the service does, step by step.


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    db = Database(database_url, PUBLISHER)
    db.migrate(ROOT / "services" / "offers" / "migrations")
    yield db
    db.dispose()


def started(db: Database, folder: Path, **files: str | None) -> None:
    for slug, text in files.items():
        file = folder / f"{slug}.toml"
        file.unlink() if text is None else file.write_text(text)
    with db.transaction() as session:
        commands.follow(session, read_declarations(folder))


def asked(session: Session) -> list[tuple[str, str, str]]:
    rows = session.exec(select(Improvement).order_by(Improvement.id))
    return [(row.board, ".".join(row.said.path), row.status) for row in rows]


CHILD = 'title.de = "Kind"\nderived_from = "eins"\n'


def test_boards_in_files_have_a_line_too(db: Database, tmp_path: Path) -> None:
    started(db, tmp_path, eins='title.de = "Eins"', kind=CHILD)
    started(db, tmp_path, eins='title.de = "Eins"\ntexts.intro.de = "Hallo"')
    with db.transaction() as session:
        assert asked(session) == [("kind", "texts.intro.de", "offered")]
        one = session.exec(select(Improvement)).one()
        with pytest.raises(Conflict):
            commands.accept(session, "kind", [Taken(id=one.id, version=1)], None)
    started(db, tmp_path, kind=CHILD + 'texts.intro.de = "Hallo"')
    with db.reading() as session:
        assert asked(session) == [("kind", "texts.intro.de", "accepted")], "its file is its answer"


def test_a_restart_leaves_derived_boards_alone_until_a_file_takes_them_over(
    db: Database, tmp_path: Path
) -> None:
    started(db, tmp_path, eins='title.de = "Eins"')
    with db.transaction() as session:
        commands.derive_board(session, "eins", Derivation(slug="zwei", title={"de": "Zwei"}))
    started(db, tmp_path, eins='title.de = "Eins"\nsummary.de = "Neu"')
    with db.reading() as session:
        board = session.get_one(Board, "zwei")
        assert (board.open, board.version, board.origin) == (True, 1, Origin.DERIVED)
        assert asked(session) == [("zwei", "summary.de", "offered")]
    started(db, tmp_path, zwei='title.de = "Zwei aus der Datei"')
    with db.reading() as session:
        board = session.get_one(Board, "zwei")
        assert (board.origin, board.version, board.derived_from) == (Origin.FILE, 2, None)
        assert asked(session) == [("zwei", "summary.de", "lapsed")], "its file says no parent"
    started(db, tmp_path, zwei=None)
    with db.reading() as session:
        assert not session.get_one(Board, "zwei").open


def test_fitting_goes_in_batches_and_on_where_it_stopped(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "FIT_AT_ONCE", 2)
    field = '[[fields]]\nname = "a"\ntype = "{kind}"\nlabel.de = "A"\n'
    started(db, tmp_path, eins='title.de = "Eins"\n' + field.format(kind="integer"))
    with db.transaction() as session:
        for number in range(5):
            content = {"title": {"de": "x"}, "fields": {"a": number}}
            session.add(Offer(board="eins", content=content, status="published"))
    started(db, tmp_path, eins='title.de = "Eins"\n' + field.format(kind="text"))
    work: list[tuple[int, int, bool]] = []
    while True:
        with db.transaction() as session:
            found = queries.next_migration(session)
            if found is None:
                break
            left = commands.fit_some(session, found.id)
            work.append((found.seen, found.migrated, left))
    assert work == [(2, 2, True), (4, 4, True), (5, 5, True), (5, 5, False)]
    with db.reading() as session:
        offers = session.exec(select(Offer).order_by(col(Offer.id))).all()
        assert [(offer.said.fields, offer.version) for offer in offers] == [
            ({"a": str(n)}, 2) for n in range(5)
        ]
        assert session.exec(select(BoardMigration)).one().finished_at
