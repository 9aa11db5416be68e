"""Places for 3,000 children among 400 activities, against deferred acceptance as textbooks write it: same answers."""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.report import Figure, Row, latency
from services.offers.allocation.domain import Criterion
from services.offers.allocation.matching import Rank, Ranking, match
from services.offers.allocation.outcome import Child, allocate

CHILDREN, ACTIVITIES, PLACES = 3000, 400, 7
WISHES = 20
SLOTS, SLOT_WISHES = 6, 8
ROUNDS = 7
CEILING_SECONDS = 2.0
CRITERIA = [
    Criterion(name=name, label={"de": name}) for name in ("sole_carer", "all_carers_work", "resident")
]

Market = tuple[dict[str, list[str]], dict[str, int], Ranking]


def run(_folder: Path) -> tuple[list[Row], list[Figure]]:
    """Ours and the textbook's by turns on invented towns; then a whole period with lots and explanations."""
    ours, limit = [], []
    for number in range(ROUNDS):
        market = _market(random.Random(number))
        taken, found = _timed(partial(match, *market))
        plain, expected = _timed(partial(textbook, *market))
        if found != expected:
            raise RuntimeError("the two matchings differ")
        ours.append(taken)
        limit.append(plain)
    name = f"matching of {CHILDREN:,} children, {ACTIVITIES} activities"
    return [latency(name, ours, limit, 0.8)], [_whole_period()]


def textbook(wishes: Mapping[str, Sequence[str]], places: Mapping[str, int], rank: Ranking) -> dict[str, str]:
    """Gale and Shapley 1962 word for word: whoever is free asks next, the activity sends its last one away."""
    free, asked = deque(wishes), dict.fromkeys(wishes, 0)
    held: dict[str, list[str]] = {activity: [] for activity in places}
    while free:
        child = free.popleft()
        if asked[child] == len(wishes[child]):
            continue
        activity = wishes[child][asked[child]]
        asked[child] += 1
        held[activity].append(child)
        if len(held[activity]) > places[activity]:
            held[activity].sort(key=lambda other, at=activity: rank(other, at))  # type: ignore[misc]
            free.append(held[activity].pop())
    return {child: activity for activity, children in held.items() for child in children}


def _market(chance: random.Random) -> Market:
    """Some activities are dear to many; of each activity a few children are dearer than of the others."""
    activities = [f"a{number}" for number in range(ACTIVITIES)]
    weights = [1 / (number + 10) for number in range(ACTIVITIES)]
    children = [f"c{number}" for number in range(CHILDREN)]
    wishes = {child: _liked(chance, activities, weights, WISHES) for child in children}
    general = {child: (chance.randrange(8), lot) for lot, child in enumerate(children)}
    special: dict[tuple[str, str], Rank] = {
        (child, wishes[child][0]): (0, general[child][1]) for child in children[::10]
    }
    return (
        wishes,
        dict.fromkeys(activities, PLACES),
        lambda child, activity: special.get((child, activity)) or general[child],
    )


def _liked(chance: random.Random, activities: list[str], weights: list[float], count: int) -> list[str]:
    drawn = chance.choices(activities, weights, k=count * 3)
    return list(dict.fromkeys(drawn))[:count]


def _whole_period() -> Figure:
    """Six weeks, each child wishes in three of them."""
    chance = random.Random(0)
    slots = {f"w{n}": [f"w{n}a{m}" for m in range(ACTIVITIES // SLOTS)] for n in range(SLOTS)}
    weights = [1 / (number + 5) for number in range(ACTIVITIES // SLOTS)]
    children = [
        Child(
            f"c{number}",
            f"g{number // 2}",
            {
                slot: _liked(chance, slots[slot], weights, SLOT_WISHES)
                for slot in chance.sample(sorted(slots), 3)
            },
            frozenset(each.name for each in CRITERIA if chance.random() < 0.3),
        )
        for number in range(CHILDREN)
    ]
    places = {slot: dict.fromkeys(activities, 15) for slot, activities in slots.items()}
    taken, _ = _timed(lambda: allocate("seed", CRITERIA, places, children))
    return Figure(
        f"a period of {CHILDREN:,} children, lots and reasons included", taken, "s", CEILING_SECONDS
    )


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found
