"""`coburg seed`: lets the demo town's shops tell stories."""

import tomllib
from itertools import cycle
from pathlib import Path
from typing import Any

from cli.gateway import Gateway

STORIES = 200


def tell(retail: Gateway, file: Path) -> int:
    """Publishes stories that are not there yet, up to two a shop; returns how many."""
    kinds = {
        kind: cycle(found["patterns"])
        for kind, found in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }
    known = {(story["shop_id"], story["content"]["title"]["de"]) for story in retail.every("/v1/stories")}
    every = [shop for shop in retail.every("/v1/shops") if shop["content"].get("summary", {}).get("de")]
    done = 0
    for shop in (every + every)[:STORIES]:
        content = story_of(shop["content"], next(kinds[shop["content"].get("kind", "retail")]))
        if (shop["id"], content["title"]["de"]) not in known:
            publish(retail, shop["id"], content)
            done += 1
    return done


def story_of(shop: dict[str, Any], pattern: dict[str, Any]) -> dict[str, Any]:
    """A pattern with a shop's words in it."""
    words = {
        "name": shop["title"]["de"],
        "about": shop["summary"]["de"],
        "street": ((shop.get("place") or {}).get("street") or "der Innenstadt").rsplit(" ", 1)[0],
    }
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": {"de": text.format_map(words)}} for text in pattern["text"]
    ]
    if "quote" in pattern:
        said, by = pattern["quote"]
        blocks.insert(1, {"type": "quote", "text": {"de": said}, "by": {"de": by}})
    blocks.append({"type": "opening"})
    title, teaser = pattern["title"].format_map(words), pattern["teaser"]
    return {"title": {"de": title}, "teaser": {"de": teaser}, "blocks": blocks, "tags": pattern["tags"]}


def publish(retail: Gateway, shop_id: str, content: dict[str, Any]) -> None:
    """Drafts a story and lets people read it."""
    drafted = retail.ask("POST", "/v1/stories", json={"shop_id": shop_id, "content": content})
    place, tag = drafted.headers["Location"], drafted.headers["ETag"]
    retail.ask("POST", f"{place}/publish", json={}, headers={"If-Match": tag})
