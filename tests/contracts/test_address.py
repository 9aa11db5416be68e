"""Web addresses: what people paste is understood as browsers do, and what leaves is a URI by RFC 3986."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.address import web_address

GOOD = {
    "http://www.schule-borchshöhe.de/": "http://www.xn--schule-borchshhe-zwb.de/",
    "https://straße.de/ä?q=ö#ü": "https://xn--strae-oqa.de/%C3%A4?q=%C3%B6#%C3%BC",
    "https://social.bund.de/@stadt": "https://social.bund.de/@stadt",
    "https://www.youtube.com/@stadt": "https://www.youtube.com/@stadt",
    "https://www.google.de/maps/@50.25,10.96,15z": "https://www.google.de/maps/@50.25,10.96,15z",
    "https://example.org": "https://example.org",
    "https://example.org?a=1": "https://example.org/?a=1",
    " HTTPS://Example.ORG/Pfad ": "https://example.org/Pfad",
    "http:/example.org\\a": "http://example.org/a",
    "https://example.org/a b|c%": "https://example.org/a%20b%7Cc%25",
    "https://例え.テスト/": "https://xn--r8jz45g.xn--zckzah/",
    "https://example.org:8443/x;y=1": "https://example.org:8443/x;y=1",
    'https://example.org/"><script>': "https://example.org/%22%3E%3Cscript%3E",
}
BAD = {
    "": "start with",
    "www.example.org": "start with",
    "javascript:alert(1)": "start with",
    "ftp://example.org": "start with",
    "mailto:me@example.org": "start with",
    "http://me@example.org": "user name",
    "https://me:secret@example.org/": "user name",
    "http://-": "public host",
    "http://localhost/": "public host",
    "http://127.0.0.1/": "public host",
    "http://0x7f.1/": "public host",
    "http://[::1]/": "public host",
    "http://a..de": "public host",
    "http://keine": "public host",
    "http://a b.de": "is not a web address",
    "https://example.org:99999/": "is not a web address",
    "https://example.org/\x00": "is not a web address",
    "https://example.org/" + "x" * 2000: "at most",
}


@pytest.mark.parametrize("typed", GOOD)
def test_what_people_paste_is_understood(typed: str) -> None:
    assert web_address(typed) == GOOD[typed]


@pytest.mark.parametrize("typed", BAD)
def test_what_is_none_says_why(typed: str) -> None:
    with pytest.raises(ValueError, match=BAD[typed]):
        web_address(typed)


@given(st.text(max_size=30))
def test_what_was_read_once_stays_as_it_is(rest: str) -> None:
    try:
        read = web_address(f"https://example.org/{rest}")
    except ValueError:
        return
    assert web_address(read) == read
    assert read.isascii()
