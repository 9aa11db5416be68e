"""What is done with short links: one function = one transaction of the caller's."""

import base64
import hashlib
import re
from datetime import date

from sqlmodel import Session

from libs.servicekit.db import insert_into
from services.retail.channels.domain import Channel
from services.retail.channels.models import LinkCount, ShortLink

CODE_LETTERS = 10
# Programs that look at links before people do, or instead of them.
_PROGRAMS = re.compile(
    r"bot|crawl|spider|preview|facebookexternal|whatsapp|mastodon|curl|wget|python|headless|monitor",
    re.IGNORECASE,
)


def code_of(story_id: str, channel: Channel) -> str:
    """The code of a story's link from a channel: always the same, in letters and digits that do not look alike."""
    digest = hashlib.sha256(f"{story_id} {channel}".encode()).digest()
    return base64.b32encode(digest).decode()[:CODE_LETTERS].lower()


def make_links(session: Session, story_id: str) -> dict[Channel, str]:
    """The codes of a story's links; those that are missing are made."""
    codes = {channel: code_of(story_id, channel) for channel in Channel}
    rows = [{"code": code, "story_id": story_id, "channel": channel.value} for channel, code in codes.items()]
    session.execute(insert_into(session, ShortLink).values(rows).on_conflict_do_nothing())
    return codes


def count(session: Session, link: ShortLink, day: date, browser: str | None) -> None:
    """Count that somebody followed a link; programs do not count. Only the day is kept."""
    if not browser or _PROGRAMS.search(browser):
        return
    statement = insert_into(session, LinkCount).values(code=link.code, day=day, times=1)
    more = {"times": LinkCount.__table__.c.times + 1}  # type: ignore[attr-defined]
    session.execute(statement.on_conflict_do_update(index_elements=["code", "day"], set_=more))
