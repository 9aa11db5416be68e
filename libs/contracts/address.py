"""Web addresses, read by the standard: what somebody typed enters, an address that every program understands leaves.

Read as browsers read them (WHATWG URL, UTS 46 for names such as `borchshöhe.de`), kept as RFC 3986 has them.
"""

import re
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator
from pydantic_core import Url as ReadUrl
from pydantic_core import ValidationError

from libs.contracts.card import PRINTABLE, Url

NO_ADDRESS = "is not a web address such as https://www.example.org/page"
NO_SCHEME = "a web address must start with http:// or https://"
NO_LOGIN = "a web address must not hold a user name, a password or a mail address before its host"
NO_HOST = "a web address needs a public host name such as www.example.org"
MAX_LENGTH = 2000
_RFC3986 = ":/?#[]@!$&'()*+,;=-._~%"
_CLEAN = re.compile(r"[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~-]*\Z")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9-]{2,63}\.?\Z")
_SCHEME = re.compile(r"https?:", re.IGNORECASE)
_PRINTABLE = re.compile(PRINTABLE)


def web_address(text: str) -> str:
    """The address; ValueError saying what is wrong with it. One that is fine as it stands comes back unchanged."""
    text = text.strip()
    if not _SCHEME.match(text):
        raise ValueError(NO_SCHEME)
    if not _PRINTABLE.match(text):
        raise ValueError(NO_ADDRESS)
    try:
        read = ReadUrl(text)
    except ValidationError:
        raise ValueError(NO_ADDRESS) from None
    if read.username is not None or read.password is not None:
        raise ValueError(NO_LOGIN)
    if not _HOST.match(read.host or ""):
        raise ValueError(NO_HOST)
    return _kept(text, str(read))


def _kept(text: str, read: str) -> str:
    written = read if _CLEAN.match(read) else _PERCENT.sub("%25", quote(read, safe=_RFC3986))
    if len(written) > MAX_LENGTH:
        raise ValueError(f"a web address of at most {MAX_LENGTH} characters")
    # `https://example.org` and the same with a slash behind it are one address: whoever typed it finds it as typed.
    return text if written == f"{text}/" else written


WebAddress = Annotated[Url, AfterValidator(web_address)]
