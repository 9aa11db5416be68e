"""The shop window: the lunch guide and the list of stories as the town grows, and pictures against plain Pillow.

Run as a module with a file's format it works on one large picture and prints the memory: that is only honest in a process
of its own.
"""

import io
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image, ImageOps
from sqlalchemy import insert
from uuid_utils import uuid7

from benchmarks.report import Figure, Row
from cli.home import ROOT
from libs.servicekit.db import Database, now
from services.retail.lunches.models import Lunch
from services.retail.pictures.domain import CROPS, Size, widths
from services.retail.pictures.processing import _OPTIONS, process
from services.retail.shops.models import Shop
from services.retail.stories.models import Story
from tests.stack import Stack

MIGRATIONS = ROOT / "services" / "retail" / "migrations"
SHOPS, STORIES = (1_000, 10_000), (1_000, 100_000)
GROWTH, PICTURES = 1.5, 1.3
ASKED, PICTURES_DONE = 60, 5
CENTRE = (50.2587, 10.9644)
DAY = date.today() + timedelta(days=7)
LARGE = (8660, 5770)  # fifty megapixels
DISHES = [
    {"title": {"de": "Linseneintopf"}, "price_cents": 690},
    {"title": {"de": "Curry"}, "diets": ["vegan"]},
]


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """Two towns side by side, asked in turns; then pictures."""
    with ExitStack() as running:
        towns = [
            _town(running, folder / str(size), size, stories)
            for size, stories in zip(SHOPS, STORIES, strict=True)
        ]
        lunches = _in_turns(towns, f"/v1/lunches?day={DAY}&near={CENTRE[0]},{CENTRE[1]}&diet=vegan&limit=20")
        listed = _in_turns(towns, "/v1/stories?limit=50")
        feeds = _in_turns(towns, "/v1/feeds/stories.atom")
    rows = [
        _grown("lunch guide: near me, at 10,000 shops against 1,000", lunches),
        _grown("stories: a page of 100,000 against 1,000", listed),
        _grown("stories: the town's feed of 100,000 against 1,000", feeds),
        _pictures(),
    ]
    figures = [
        Figure(f"memory for a picture of 50 megapixels ({form})", _memory(form), "MB")
        for form in ("JPEG", "PNG")
    ]
    return rows, figures


def _grown(name: str, seconds: list[float]) -> Row:
    small, large = (each * 1000 for each in seconds)
    return Row(name, large, small, large / small, GROWTH, at_least=False, unit="ms")


def _in_turns(towns: list[httpx2.Client], path: str) -> list[float]:
    """The median answer of each town in seconds."""
    found: list[list[float]] = [[] for _ in towns]
    for number in range(ASKED + 5):
        for client, seconds in zip(towns, found, strict=True):
            begin = time.perf_counter()
            client.get(path).raise_for_status()
            if number >= 5:
                seconds.append(time.perf_counter() - begin)
    return [statistics.median(each) for each in found]


def _town(running: ExitStack, folder: Path, shops: int, stories: int) -> httpx2.Client:
    folder.mkdir(parents=True)
    db = Database(f"sqlite:///{folder / 'retail.db'}")
    db.migrate(MIGRATIONS)
    _fill(db, shops, stories)
    db.dispose()
    stack = running.enter_context(Stack(folder, COBURG_RATE_LIMIT=""))
    stack.start("nats").provision()
    stack.launch("retail")
    return running.enter_context(httpx2.Client(base_url=stack.url("retail"), timeout=60))


def _fill(db: Database, shops: int, stories: int) -> None:
    """Shops all over the town, each with a lunch; stories of them."""
    ids = [str(uuid7()) for _ in range(shops)]
    places = [(CENTRE[0] + (n % 211 - 105) / 4000, CENTRE[1] + (n % 307 - 153) / 4000) for n in range(shops)]
    with db.transaction() as session:
        for start in range(0, shops, 1000):
            part = list(zip(ids, places, strict=True))[start : start + 1000]
            session.execute(insert(_table(Shop)), [_shop(shop, place) for shop, place in part])
            session.execute(insert(_table(Lunch)), [_lunch(shop, place) for shop, place in part])
    with db.transaction() as session:
        for start in range(0, stories, 5000):
            some = range(start, min(start + 5000, stories))
            session.execute(insert(_table(Story)), [_story(ids[number % shops]) for number in some])


def _table(model: Any) -> Any:
    return model.__table__


def _shop(shop_id: str, place: tuple[float, float]) -> dict[str, Any]:
    content = {"title": {"de": "Laden"}, "place": {"lat": place[0], "lon": place[1]}}
    return {
        "id": shop_id, "status": "published", "version": 1, "content": content, "lat": place[0], "lon": place[1],
        "notices": [], "pruned": False, "created_at": now(), "changed_at": now(), "published_at": now(),
    }  # fmt: skip


def _lunch(shop_id: str, place: tuple[float, float]) -> dict[str, Any]:
    start = datetime(DAY.year, DAY.month, DAY.day, 11, tzinfo=UTC)
    return {
        "id": str(uuid7()), "shop_id": shop_id, "day": DAY, "starts_at": start, "ends_at": start + timedelta(hours=3),
        "dishes": DISHES, "listed": True, "lat": place[0], "lon": place[1], "diets": "|vegan|vegetarian|",
        "least_cents": 690, "shop_version": 1, "version": 1,
    }  # fmt: skip


def _story(shop_id: str) -> dict[str, Any]:
    text = {"type": "text", "text": {"de": "Jeden Donnerstag kommt frischer Käse. " * 8}}
    content = {"title": {"de": "Ein Käse"}, "blocks": [text], "tags": ["Käse"]}
    return {
        "id": str(uuid7()), "shop_id": shop_id, "status": "published", "version": 2, "content": content, "public": content,
        "told_version": 1, "shop_mark": "", "published_at": now(), "created_by": "bench", "created_at": now(),
        "changed_at": now(),
    }  # fmt: skip


def _pictures() -> Row:
    """A phone's photo through ours and through plain Pillow, in turns: the same shapes by the same encoders."""
    photo = _photo((4000, 3000), "JPEG")
    ours, plain = list[float](), list[float]()
    for _ in range(PICTURES_DONE):
        ours.append(_seconds(lambda: process(photo, "image/jpeg")))
        plain.append(_seconds(lambda: _plainly(photo)))
    one, other = statistics.median(ours), statistics.median(plain)
    return Row(
        "a photo of 12 megapixels in twelve files and three cuts, against plain Pillow",
        one, other, one / other, PICTURES, at_least=False, unit="s",
    )  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _plainly(content: bytes) -> None:
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    for width in widths(Size(1920, 1440)):
        scaled = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        for form, options in _OPTIONS.items():
            scaled.save(io.BytesIO(), form, **options)
    for size in CROPS.values():
        ImageOps.fit(image, size, Image.Resampling.LANCZOS).save(io.BytesIO(), "JPEG", **_OPTIONS["JPEG"])


def _photo(size: tuple[int, int], form: str) -> bytes:
    """Something with edges and noise, as photos have."""
    small = Image.effect_noise((size[0] // 8, size[1] // 8), 40)
    image = Image.merge(
        "RGB",
        [
            small,
            small.rotate(90, expand=True).resize(small.size),
            small.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        ],
    )
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(
        buffer, form, **({"quality": 88} if form == "JPEG" else {"compress_level": 1})
    )
    return buffer.getvalue()


def _memory(form: str) -> float:
    command = [sys.executable, "-m", "benchmarks.shop_window", form]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return float(json.loads(told.splitlines()[-1]))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    # The picture comes from a file that another process wrote: making it takes more than reading it.
    file = Path(f"/dev/shm/bench-{uuid7().hex}")
    try:
        maker = f"import sys, benchmarks.shop_window as b; open(sys.argv[1], 'wb').write(b._photo(b.LARGE, '{sys.argv[1]}'))"
        subprocess.run(
            [sys.executable, "-c", maker.replace("sys.argv[1], 'wb'", f"'{file}', 'wb'"), sys.argv[1]],
            check=True,
            cwd=ROOT,
        )
        content = file.read_bytes()
        from services.retail.pictures import domain

        domain.MAX_BYTES = len(content)
        before = _peak()
        process(content, f"image/{sys.argv[1].lower()}")
        print(json.dumps(_peak() - before))
    finally:
        file.unlink(missing_ok=True)
