"""How browsers learn to search the town: an OpenSearch 1.1 description leaves, German first.

Source: github.com/dewitt/opensearch, draft 6.
"""

from xml.etree.ElementTree import Element, SubElement, tostring

NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
MEDIA_TYPE = "application/opensearchdescription+xml"
SUGGESTIONS = "application/x-suggestions+json"
SHORT, LONG = 16, 48


def description(town: str, url: str, page: str) -> bytes:
    """`url` is where search answers, `page` a front end's page of results with `{searchTerms}`, if there is one."""
    root = Element("OpenSearchDescription", xmlns=NAMESPACE)
    texts = {
        "ShortName": town[:SHORT],
        "LongName": f"Suche in {town}"[:LONG],
        "Description": f"Angebote, Orte und Termine in {town} finden.",
        "InputEncoding": "UTF-8",
        "OutputEncoding": "UTF-8",
    }
    for name, text in texts.items():
        SubElement(root, name).text = text
    for language in ("de", "en"):
        SubElement(root, "Language").text = language
    if page:
        SubElement(root, "Url", type="text/html", template=page)
    SubElement(root, "Url", type="application/json", template=f"{url}/v1/search?q={{searchTerms}}")
    suggest = f"{url}/v1/suggest/opensearch?q={{searchTerms}}"
    SubElement(root, "Url", type=SUGGESTIONS, rel="suggestions", template=suggest)
    SubElement(root, "Url", type=MEDIA_TYPE, rel="self", template=f"{url}/opensearch.xml")
    document: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return document
