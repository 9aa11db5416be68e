"""Stories: from a draft to the public, with what keeps them from it; feeds and previews in which every text is escaped."""

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from services.retail.pictures.commands import UNUSED_FOR, forget_unused
from services.retail.pictures.models import Picture
from services.retail.pictures.store import Store
from services.retail.stories.commands import shown as shown_pictures
from tests.retail.conftest import Retail
from tests.retail.test_pictures import picture, send
from tests.service import problem
from tests.waiting import until

ATOM = "{http://www.w3.org/2005/Atom}"
TEXT = {"type": "text", "text": {"de": "Jeden Donnerstag kommt frischer Käse."}}
CONTENT: dict[str, Any] = {"title": {"de": "Ein Käse"}, "teaser": {"de": "Aus dem Keller"}, "blocks": [TEXT]}


class Story:
    """A story, as its shop's people and the caretaker work on it."""

    def __init__(
        self, service: Retail, content: dict[str, Any] | None = None, shop: str | None = None
    ) -> None:
        self.service, self.shop = service, shop or service.shop()["id"]
        answer = self.own("POST", "/v1/stories", {"shop_id": self.shop, "content": content or CONTENT})
        assert answer.status_code == 201, answer.text
        self.id, self.version = answer.json()["id"], answer.json()["version"]

    def own(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return self.service.call(method, path, body, "provider", providers=(self.shop,), **more)

    def step(self, name: str, body: Any = None, *, by: str = "caretaker") -> dict[str, Any]:
        path = f"/v1/stories/{self.id}/{name}"
        if by == "caretaker":
            answer = self.service.call("POST", path, body, by, version=self.version)
        else:
            answer = self.own("POST", path, body, version=self.version)
        assert answer.status_code == 200, answer.text
        self.version = answer.json()["version"]
        found: dict[str, Any] = answer.json()
        return found

    def change(self, content: dict[str, Any]) -> None:
        answer = self.own("PUT", f"/v1/stories/{self.id}", content, version=self.version)
        assert answer.status_code == 200, answer.text
        self.version = answer.json()["version"]

    def seen(self) -> Any:
        return self.service.http.get(f"/v1/stories/{self.id}")


def test_from_a_draft_to_the_public(service: Retail) -> None:
    story = Story(service)
    problem(story.seen(), 404)
    assert story.step("submit", by="own")["status"] == "review"
    problem(story.own("POST", f"/v1/stories/{story.id}/publish", {}, version=story.version), 403)
    back = story.step("return", {"text": "Bitte noch den Preis."})
    assert back["status"] == "draft"
    (said,) = story.own("GET", f"/v1/stories/{story.id}/comments").json()["items"]
    assert said["text"] == "Bitte noch den Preis."
    story.step("submit", by="own")
    assert story.step("publish", {})["status"] == "published"
    assert story.seen().json()["content"]["title"]["de"] == "Ein Käse"
    (fact,) = service.facts(story.id)
    assert fact["data"]["blocks"] == [TEXT]
    card = fact["data"]["card"]
    assert (card["kind"], card["provider"]["id"], card["facets"]["assortment"]) == (
        "story",
        story.shop,
        ["dairy-eggs"],
    )
    assert "Bitte noch" not in str(service.facts())


def test_what_is_public_stays_until_something_else_is_published(service: Retail) -> None:
    story = Story(service)
    story.step("publish", {})
    story.change(CONTENT | {"title": {"de": "Zwei Käse"}})
    assert story.seen().json()["content"]["title"]["de"] == "Ein Käse"
    assert story.own("GET", f"/v1/stories/{story.id}").json()["content"]["title"]["de"] == "Zwei Käse"
    story.step("publish", {})
    assert story.seen().json()["content"]["title"]["de"] == "Zwei Käse"
    assert service.told(story.id) == [("published", 1), ("changed", 2)]
    versions = story.own("GET", f"/v1/stories/{story.id}/versions").json()["items"]
    assert [each["content"]["title"]["de"] for each in versions] == ["Zwei Käse", "Ein Käse"]
    story.step(f"versions/{versions[1]['version']}/restore", by="own")
    assert story.own("GET", f"/v1/stories/{story.id}").json()["content"]["title"]["de"] == "Ein Käse"


def test_a_story_waits_for_its_hour(service: Retail) -> None:
    story = Story(service)
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    assert story.step("publish", {"at": soon})["status"] == "scheduled"
    problem(story.seen(), 404)
    until(lambda: story.seen().status_code == 200, 20)


def test_a_picture_without_words_keeps_a_story_back(service: Retail) -> None:
    shown = send(service, picture(size=(640, 480))).json()["id"]
    blocks = [TEXT, {"type": "picture", "picture_id": shown, "alt": {"de": " "}}]
    story = Story(service, CONTENT | {"title": {"de": "Ein Käse", "en": "A cheese"}, "blocks": blocks})
    path = f"/v1/stories/{story.id}/publish"
    told = problem(service.call("POST", path, {}, "caretaker", version=story.version), 422)
    assert [each["field"] for each in told["errors"]] == ["blocks.1.alt"]
    assert "de, en" in told["errors"][0]["reason"]
    german = service.call(
        "POST", path, {}, "caretaker", version=story.version, headers={"Accept-Language": "de"}
    )
    assert "was auf dem Bild zu sehen ist (de, en)" in german.json()["errors"][0]["reason"]
    blocks[1]["alt"] = {"de": "Ein Laib Käse", "en": "A cheese"}
    story.change(CONTENT | {"title": {"de": "Ein Käse", "en": "A cheese"}, "blocks": blocks})
    story.step("publish", {})
    image = service.facts(story.id)[0]["data"]["card"]["image"]
    assert image["alt"]["de"] == "Ein Laib Käse"
    assert shown in image["url"]


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ({"type": "text", "text": {"de": "Hallo <script>alert(1)</script>"}}, "text"),
        ({"type": "text", "text": {"de": "<img src=x onerror=alert(1)>"}}, "text"),
        ({"type": "link", "url": "javascript:alert(1)", "label": {"de": "x"}}, "url"),
        ({"type": "link", "url": "https://user:pw@evil.example", "label": {"de": "x"}}, "url"),
        ({"type": "circus"}, "blocks"),
        ({"type": "picture", "picture_id": "../../etc/passwd"}, "picture_id"),
        ({"type": "text", "text": {"de": "x" * 5001}}, "text"),
    ],
)
def test_scripts_and_strange_links_are_refused(service: Retail, block: dict[str, Any], field: str) -> None:
    body = {"shop_id": service.shop()["id"], "content": CONTENT | {"blocks": [block]}}
    told = problem(service.call("POST", "/v1/stories", body, "caretaker"), 422)
    assert any(field in each["field"] for each in told["errors"]), told


def test_a_picture_that_is_not_there_keeps_a_story_back(service: Retail) -> None:
    block = {"type": "picture", "picture_id": "0" * 64, "alt": {"de": "Nichts"}}
    story = Story(service, CONTENT | {"blocks": [TEXT, block]})
    told = problem(service.call("POST", f"/v1/stories/{story.id}/publish", {}, "caretaker", version=1), 422)
    assert told["errors"][0]["field"] == "blocks.1.picture_id"


def test_everything_in_a_preview_is_escaped(service: Retail) -> None:
    text = 'Käse & "Wein" > 5 €, 3 < 4'
    quote = {"type": "quote", "text": {"de": text}, "by": {"de": "Oma's"}}
    story = Story(service, CONTENT | {"blocks": [quote]})
    page = story.own("GET", f"/v1/stories/{story.id}/preview")
    assert "Käse &amp; &quot;Wein&quot; &gt; 5 €, 3 &lt; 4" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_feeds_of_the_town_and_of_a_shop(service: Retail) -> None:
    story, other = Story(service), Story(service)
    for each in (story, other):
        each.step("publish", {})
    answer = service.http.get("/v1/feeds/stories.atom", params={"shop": story.shop})
    assert answer.headers["Content-Type"] == "application/atom+xml"
    root = Xml.fromstring(answer.content)
    assert [each.findtext(f"{ATOM}id") for each in root.findall(f"{ATOM}entry")] == [f"urn:uuid:{story.id}"]
    content = root.find(f"{ATOM}entry/{ATOM}content")
    assert content is not None
    assert "<p>Jeden Donnerstag" in (content.text or "")
    again = {"If-None-Match": answer.headers["ETag"]}
    params = {"shop": story.shop}
    assert service.http.get("/v1/feeds/stories.atom", params=params, headers=again).status_code == 304
    town = Xml.fromstring(service.http.get("/v1/feeds/stories.atom").content)
    assert len(town.findall(f"{ATOM}entry")) >= 2


def test_a_story_leaves_with_its_shop(service: Retail) -> None:
    story = Story(service)
    story.step("publish", {})
    version = service.get(story.shop).json()["version"]
    service.call("POST", f"/v1/shops/{story.shop}/withdraw", None, "caretaker", version=version)
    until(lambda: story.seen().status_code == 404)
    assert service.told(story.id)[-1][0] == "withdrawn"


def test_an_archived_story_is_gone_and_can_come_back(service: Retail) -> None:
    story = Story(service)
    story.step("publish", {})
    story.step("archive", by="own")
    problem(story.seen(), 404)
    story.change(CONTENT)
    story.step("publish", {})
    assert story.seen().status_code == 200
    assert [name for name, _ in service.told(story.id)] == ["published", "withdrawn", "published"]


def test_a_picture_that_no_story_shows_is_forgotten_and_one_in_a_draft_is_not(service: Retail) -> None:
    shown, unused = (send(service, picture(size=(640, 300 + more))).json()["id"] for more in (1, 2))
    Story(service, CONTENT | {"blocks": [TEXT, {"type": "picture", "picture_id": shown}]})
    store = Store(service.stack.home.folder / "pictures")
    with service.db.transaction() as session:
        for each in (shown, unused):
            session.get_one(Picture, each).used_at = datetime.now(UTC) - 2 * UNUSED_FOR
    with service.db.transaction() as session:
        while forget_unused(session, store, shown_pictures, datetime.now(UTC)):
            session.flush()
    assert store.path(shown, "320.jpg") is not None
    assert store.path(unused, "320.jpg") is None
    problem(service.http.get(f"/v1/pictures/{unused}"), 404)
