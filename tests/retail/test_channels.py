"""Channels: a story cut to what each takes, with a link that counts days and knows nobody, and a sign for the window."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retail.channels.domain import ELLIPSIS, RULES, Channel, hashtags, pack, shortened
from services.retail.stories.domain import StoryContent
from tests.retail.conftest import Retail
from tests.retail.test_pictures import picture, send
from tests.retail.test_stories import CONTENT, TEXT, Story
from tests.service import problem

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
LINK = "https://laeden.example/s/abcdefghij"


def published(service: Retail) -> Story:
    shown = send(service, picture(size=(1200, 900))).json()["id"]
    blocks = [TEXT, {"type": "picture", "picture_id": shown, "alt": {"de": "Ein Laib Käse"}}]
    story = Story(service, CONTENT | {"blocks": blocks, "tags": ["Käse", "aus der Region"]})
    story.step("publish", {})
    return story


def packs(story: Story) -> dict[str, Any]:
    return {each["channel"]: each for each in story.own("GET", f"/v1/stories/{story.id}/packs").json()}


def test_a_pack_for_every_channel(service: Retail) -> None:
    found = packs(published(service))
    assert found.keys() == {channel.value for channel in Channel}
    instagram = found["instagram"]
    assert instagram["hashtags"] == ["#Käse", "#AusDerRegion", "#Coburg"]
    assert instagram["pictures"][0]["url"].endswith("/square.jpg")
    assert instagram["pictures"][0]["alt"] == "Ein Laib Käse"
    assert found["whatsapp"]["link"] in found["whatsapp"]["text"]
    assert len({each["link"] for each in found.values()}) == len(Channel)


def test_only_what_is_public_is_told_elsewhere(service: Retail) -> None:
    story = Story(service)
    problem(story.own("GET", f"/v1/stories/{story.id}/packs"), 409)


def test_a_link_leads_to_the_story_and_counts_people_only(service: Retail) -> None:
    story = published(service)
    link = packs(story)["facebook"]["link"]
    path = link[link.index("/s/") :]
    for headers in [BROWSER] * 4 + [{"User-Agent": "facebookexternalhit/1.1"}, {"User-Agent": "curl/8"}]:
        answer = service.http.get(path, headers=headers)
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith(f"/stories/{story.id}")
    visits = f"/v1/stories/{story.id}/visits"
    (few,) = story.own("GET", visits).json()
    assert (few["channel"], few["times"]) == ("facebook", None), "four could be known"
    service.http.get(path, headers=BROWSER)
    assert [each["times"] for each in story.own("GET", visits).json()] == [5]
    problem(service.http.get("/s/aaaaaaaaaa"), 404)


def test_a_sign_is_an_accessible_page(service: Retail) -> None:
    story = published(service)
    answer = story.own("GET", f"/v1/stories/{story.id}/packs/sign.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert b"pdfuaid" in answer.content, "it says that it keeps to PDF/UA"
    code = story.own("GET", f"/v1/stories/{story.id}/packs/sign.svg")
    assert code.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in code.content


def test_words_on_a_sign_are_no_instructions(service: Retail) -> None:
    text = {"type": "text", "text": {"de": '#panic("x") $ \\ * _ ` @a ] [ #read("/etc/passwd")'}}
    story = Story(service, CONTENT | {"blocks": [text]})
    story.step("publish", {})
    assert story.own("GET", f"/v1/stories/{story.id}/packs/sign.pdf").status_code == 200


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Kurz.", 20, "Kurz."),
        ("Ein Satz. Noch ein langer Satz, der nicht passt.", 20, f"Ein Satz. Noch ein{ELLIPSIS}"),
        ("Ein ganzer Satz hier. Und mehr.", 25, "Ein ganzer Satz hier."),
        ("Donaudampfschifffahrt", 10, f"Donaudamp{ELLIPSIS}"),
        ("Wort, Wort", 6, f"Wort{ELLIPSIS}"),
        ("Eins. Zwei.", 5, "Eins."),
    ],
)
def test_texts_end_where_a_sentence_or_a_word_ends(text: str, limit: int, short: str) -> None:
    assert shortened(text, limit) == short


@given(st.text(max_size=400), st.integers(0, 300))
def test_a_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit


@given(
    st.sampled_from(list(Channel)),
    st.text("abc äß.!\n", min_size=1, max_size=3000).filter(str.strip),
    st.lists(st.text("abc-ä 1", min_size=1, max_size=30).filter(str.strip), max_size=20),
)
def test_every_pack_fits_its_channel(channel: Channel, text: str, tags: list[str]) -> None:
    blocks = [{"type": "text", "text": {"de": text}}]
    said = StoryContent.model_validate({"title": {"de": "Titel"}, "blocks": blocks, "tags": tags})
    made = pack(said, channel, "de", LINK, "Coburg")
    assert made.characters <= RULES[channel].limit
    assert channel is Channel.SIGN or LINK in made.text


def test_hashtags_are_readable_and_named_once() -> None:
    assert hashtags(["Käse", "käse", "aus der Region", "24", "C&A"]) == ["#Käse", "#AusDerRegion", "#CA"]
