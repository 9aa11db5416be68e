"""Shops from OpenStreetMap: the real ones, however they were drawn; what a merchant changed since stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.retail.conftest import Retail

FARMS = Path(__file__).parents[3] / "shared" / "data" / "osm-farm-shops-karlsruhe.geojson"


def feature(number: int, **tags: str) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [10.96, 50.25]}
    properties = {"shop": "farm", "name": f"Hof {number}", **tags}
    return {"type": "Feature", "id": f"node/{number}", "geometry": geometry, "properties": properties}


def collection(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def counts(order: dict[str, Any]) -> list[int]:
    return [order[name] for name in ("created", "changed", "unchanged", "withdrawn", "broken")]


def named(service: Retail, title: str) -> dict[str, Any]:
    (found,) = [shop for shop in service.shops() if shop["content"]["title"].get("de") == title]
    return found


@pytest.mark.skipif(not FARMS.exists(), reason=f"{FARMS} is not there")
def test_all_real_farm_shops_come_in_once(service: Retail) -> None:
    first = service.imported(FARMS.read_bytes(), source="karlsruhe")
    assert counts(first) == [312, 0, 0, 0, 0]
    again = service.imported(FARMS.read_bytes(), source="karlsruhe")
    assert counts(again) == [0, 0, 312, 0, 0]
    report = service.report(first["id"])
    texts = [each for each in report if each["code"] == "hours_as_text"]
    assert any("8.30-19.00" in each["value"] for each in texts), "German times of day are told, not lost"
    kept = [shop["content"].get("hours") for shop in service.shops()]
    assert all(each["value"] in kept for each in texts)
    # Every outline became a point.
    farms = [shop for shop in service.shops() if "farm-produce" in shop["content"]["assortment"]]
    assert sum(shop["content"]["place"]["lat"] is not None for shop in farms) >= 312


def test_overpass_tells_the_same(service: Retail) -> None:
    tags = {"shop": "farm", "name": "Overpasshof", "opening_hours": "Sa 08:00-13:00", "addr:street": "Weg"}
    elements = [
        {"type": "node", "id": 71, "lat": 50.1, "lon": 10.1, "tags": tags},
        {"type": "way", "id": 72, "center": {"lat": 50.2, "lon": 10.2}, "tags": tags | {"name": "Weghof"}},
        {
            "type": "relation",
            "id": 73,
            "center": {"lat": 50.3, "lon": 10.3},
            "tags": tags | {"name": "Kreishof"},
        },
        {
            "type": "way",
            "id": 74,
            "geometry": [{"lat": 50.4, "lon": 10.4}, {"lat": 50.6, "lon": 10.6}],
            "tags": tags,
        },
        {"type": "node", "id": 75, "lat": 50.1, "lon": 10.1},  # a corner of something
    ]
    body = json.dumps({"version": 0.6, "generator": "Overpass API", "elements": elements}).encode()
    assert counts(service.imported(body, "application/json", source="osm")) == [4, 0, 0, 0, 0]
    assert named(service, "Weghof")["content"]["place"]["lat"] == 50.2
    assert named(service, "Kreishof")["content"]["place"]["lon"] == 10.3


def test_what_a_merchant_changed_stays_field_by_field(service: Retail) -> None:
    before = feature(
        81, name="Eigenhof", opening_hours="Mo 08:00-10:00", phone="+49 721 1", website="a.example"
    )
    service.imported(collection(before), source="mine")
    shop = named(service, "Eigenhof")
    mine = shop["content"] | {"hours": "Mo 10:00-20:00"}
    path = f"/v1/shops/{shop['id']}"
    assert service.call("PUT", path, mine, "caretaker", version=shop["version"]).status_code == 200
    after = feature(
        81, name="Eigenhof", opening_hours="Mo 09:00-10:00", phone="+49 721 222", website="b.example"
    )
    order = service.imported(collection(after), source="mine")
    assert counts(order) == [0, 1, 0, 0, 0]
    content = service.get(shop["id"]).json()["content"]
    assert content["hours"] == "Mo 10:00-20:00"
    assert (content["phone"], content["url"]) == ("+49 721 222", "https://b.example")
    (kept,) = [each for each in service.report(order["id"]) if each["code"] == "kept_own"]
    assert (kept["column"], kept["value"]) == ("hours", "Mo 09:00-10:00")


def test_what_the_source_no_longer_names_goes_and_comes_back(service: Retail) -> None:
    one, other = feature(91, name="Bleibt"), feature(92, name="Geht")
    service.imported(collection(one, other), source="prune")
    gone = named(service, "Geht")["id"]
    assert counts(service.imported(collection(one), source="prune", prune=True)) == [0, 0, 1, 1, 0]
    assert service.get(gone).status_code == 404
    assert counts(service.imported(collection(one, other), source="prune"))[:3] == [0, 1, 1]
    assert [name for name, _ in service.told(gone)] == ["published", "withdrawn", "published"]


def test_who_took_a_shop_out_is_not_overruled(service: Retail) -> None:
    service.imported(collection(feature(95, name="Fort")), source="out")
    shop = named(service, "Fort")
    service.call("POST", f"/v1/shops/{shop['id']}/withdraw", None, "caretaker", version=shop["version"])
    assert counts(service.imported(collection(feature(95, name="Fort neu")), source="out")) == [0, 0, 1, 0, 0]
    assert service.get(shop["id"]).status_code == 404


def test_a_rehearsal_changes_nothing(service: Retail) -> None:
    order = service.imported(collection(feature(99, name="Probe")), source="dry", dry_run=True)
    assert counts(order)[0] == 1
    assert all(shop["content"]["title"].get("de") != "Probe" for shop in service.shops())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_file"),
        (b"{}", "no_features"),
        (b'{"features": [', "broken_document"),
        (b'{"features": [{"type": "Feature"}, oops]}', "broken_document"),
        (b"\xff\xfe\x00", "broken_document"),
        (b"[" * 100_000, "broken_document"),
    ],
)
def test_what_is_no_map_is_said_as_a_whole(service: Retail, body: bytes, code: str) -> None:
    order = service.imported(body, source="broken")
    assert (order["status"], order["error_code"]) == ("failed", code)
    assert order["message"]["de"]


def test_a_bad_feature_keeps_no_other_out(service: Retail) -> None:
    bad: list[Any] = [
        {"type": "Feature", "id": "n1", "properties": {"name": "Ohne"}, "geometry": None},
        {
            "type": "Feature",
            "id": "node/102",
            "properties": None,
            "geometry": {"type": "Point", "coordinates": "?"},
        },
        {
            "type": "Feature",
            "id": "node/103",
            "properties": {"name": "Weit", "shop": "farm"},
            "geometry": {"type": "Point", "coordinates": [1e9, 50]},
        },
    ]
    order = service.imported(collection(*bad, feature(104, name="Gut")), source="bad")
    assert named(service, "Gut")
    assert order["broken"] == 2
    codes = {
        each["line"]: each["code"] for each in service.report(order["id"]) if each["severity"] == "error"
    }
    assert codes[1] == "bad_osm_id"
    assert named(service, "Weit")["content"]["place"] is None
