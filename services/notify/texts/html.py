"""A message's plain text as accessible HTML: paragraphs, lists and links, nothing else.

Structure comes from lines alone: a blank line ends a paragraph, `- ` begins an item, `→ ` a link whose words are the
line above. Everything else is text and escaped, so nothing that people wrote becomes structure.
"""

from html import escape

ARROW = "→ "
ITEM = "- "


def body_of(text: str) -> str:
    """The HTML of a plain text's paragraphs."""
    return "\n".join(_block(block.splitlines()) for block in text.strip().split("\n\n") if block.strip())


def _block(lines: list[str]) -> str:
    if all(line.startswith(ITEM) for line in lines):
        items = "".join(f"<li>{escape(line.removeprefix(ITEM))}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    return f"<p>{'<br>'.join(_lines(lines))}</p>"


def _lines(lines: list[str]) -> list[str]:
    found = list[str]()
    for line in lines:
        if line.startswith(ARROW):
            words = found.pop().rstrip(":") if found else escape(line.removeprefix(ARROW))
            found.append(f'<a href="{escape(line.removeprefix(ARROW).strip(), quote=True)}">{words}</a>')
        else:
            found.append(escape(line.removeprefix(ITEM)))
    return found
