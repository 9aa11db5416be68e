"""The demo town's shop window: writes the files beside it that `./coburg seed` imports; the same on every run.

Run it with `python -m city.demo.retail.generate` after a change of the material.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOUSES = 0.00004  # degrees from one house to the next, along a street


def main() -> None:
    """Write all files."""
    written = "".join(json.dumps(shop, ensure_ascii=False) + "\n" for shop in shops())
    (HERE / "shops.jsonl").write_text(written, encoding="utf-8")


def shops() -> Iterator[dict[str, Any]]:
    """The shops, as an import takes them."""
    material = tomllib.loads((HERE / "shops.toml").read_text(encoding="utf-8"))
    for number, line in enumerate(material["shops"]["lines"].strip().splitlines()):
        name, kind, assortment, address, week, about = (part.strip() for part in line.split(";"))
        yield {
            "key": f"shop-{number + 1:03}",
            "title": {"de": name},
            "kind": kind,
            "summary": {"de": about},
            "assortment": assortment.split(),
            "hours": material["weeks"][week],
            "place": place(material["streets"], address, number),
            "phone": f"+49 9561 555{number:03}",
            **material["presets"][kind],
        }


def place(streets: dict[str, Any], address: str, number: int) -> dict[str, Any]:
    """Where a house stands; every third is without steps, every seventh made for wheelchairs."""
    street, _, house = address.rpartition(" ")
    lat, lon, district = streets[street]
    accessible = ["step-free"] * (number % 3 == 0) + ["wheelchair"] * (number % 7 == 0)
    return {
        "lat": round(lat + int(house) * HOUSES, 6),
        "lon": round(lon + int(house) * HOUSES / 2, 6),
        "street": address,
        "postcode": "96450",
        "locality": "Coburg",
        "district": district,
        "accessibility": accessible,
    }


if __name__ == "__main__":
    main()
