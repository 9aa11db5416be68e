"""A story as HTML: its blocks enter, markup leaves in which every text is escaped. For previews, and for readers of feeds."""

from collections.abc import Iterator
from html import escape

from libs.contracts.card import Text
from services.retail.shops.domain import ShopContent
from services.retail.stories.domain import (
    Block,
    LinkBlock,
    OpeningBlock,
    PictureBlock,
    ProductBlock,
    QuoteBlock,
    StoryContent,
    TextBlock,
    in_language,
)

STYLE = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:40em;margin:2em auto;padding:0 1em}img{max-width:100%;height:auto}:root{color-scheme:light dark}"
LABELS: dict[str, Text] = {"open": {"de": "Geöffnet", "en": "Open"}, "of": {"de": "Von", "en": "By"}}


def page(said: StoryContent, shop: ShopContent, language: str, base: str) -> str:
    """The whole page, as readers may see it."""
    title, body = escape(in_language(said.title, language)), article(said, shop, language, base)
    return (
        f'<!doctype html><html lang="{escape(language[:2])}"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<style>{STYLE}</style><main><h1>{title}</h1>{body}</main></html>"
    )


def article(said: StoryContent, shop: ShopContent, language: str, base: str) -> str:
    """The story without its title."""
    teaser = in_language(said.teaser, language)
    parts = [f"<p><strong>{escape(teaser)}</strong></p>"] if teaser else []
    parts += [part for block in said.blocks for part in _block(block, shop, language, base)]
    return "".join([*parts, f"<p>{_word('of', language)}: {escape(in_language(shop.title, language))}</p>"])


def _block(block: Block, shop: ShopContent, language: str, base: str) -> Iterator[str]:
    match block:
        case TextBlock():
            paragraphs = in_language(block.text, language).split("\n\n")
            yield from (f"<p>{_lines(each)}</p>" for each in paragraphs if each.strip())
        case PictureBlock():
            yield _picture(block.picture_id, block.alt, in_language(block.caption, language), language, base)
        case QuoteBlock():
            by = in_language(block.by, language)
            cite = f"<footer>{escape(by)}</footer>" if by else ""
            yield f"<blockquote><p>{_lines(in_language(block.text, language))}</p>{cite}</blockquote>"
        case ProductBlock():
            yield from _product(block, language, base)
        case LinkBlock():
            yield f'<p><a href="{escape(block.url)}" rel="nofollow noopener">{escape(in_language(block.label, language))}</a></p>'
        case OpeningBlock():
            if shop.hours:
                yield f"<p>{_word('open', language)}: {escape(shop.hours)}</p>"


def _product(block: ProductBlock, language: str, base: str) -> Iterator[str]:
    price = f" – {price_text(block.price_cents)}" if block.price_cents is not None else ""
    yield f"<h2>{escape(in_language(block.title, language))}{price}</h2>"
    if block.picture_id:
        yield _picture(block.picture_id, block.alt, "", language, base)
    if text := in_language(block.text, language):
        yield f"<p>{_lines(text)}</p>"


def _picture(picture_id: str, alt: Text, caption: str, language: str, base: str) -> str:
    source = f"{base}/v1/pictures/{picture_id}/wide.jpg"
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{escape(source)}" alt="{escape(in_language(alt, language))}">{below}</figure>'


def price_text(cents: int) -> str:
    """A price as people here write it."""
    return f"{cents // 100},{cents % 100:02} €"


def _lines(text: str) -> str:
    return escape(text.strip()).replace("\n", "<br>")


def _word(name: str, language: str) -> str:
    return escape(in_language(LABELS[name], language))
