"""Deferred acceptance (Gale and Shapley 1962), children proposing. Values in, values out; no clock, no chance.

Each child's ranked wishes, each activity's places and the order in which activities take children enter; the matching
leaves that is stable and of all stable ones the best for every child. A child gets at most one place here, which is
what makes naming one's true wishes in their true order the best one can do (Dubins and Freedman 1981, Roth 1982).
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import heappush, heappushpop

# Where a child stands with an activity: its class, then its lot; the smaller comes first. No two stand alike.
Rank = tuple[int, int]
Ranking = Callable[[str, str], Rank]


def match(wishes: Mapping[str, Iterable[str]], places: Mapping[str, int], rank: Ranking) -> dict[str, str]:
    """The activity of each child that gets one; `rank(child, activity)` must not depend on the wishes, places are at least 1."""
    # Whoever stands last with an activity lies on top of its heap.
    held: dict[str, list[tuple[int, int, str]]] = {activity: [] for activity in places}
    left = {child: iter(ranked) for child, ranked in wishes.items()}
    for child in wishes:
        proposing: str | None = child
        while proposing is not None and (activity := next(left[proposing], None)) is not None:
            taken, (ahead, lot) = held[activity], rank(proposing, activity)
            bid = (-ahead, -lot, proposing)
            if len(taken) < places[activity]:
                heappush(taken, bid)
                break
            proposing = heappushpop(taken, bid)[2]
    return {child: activity for activity, taken in held.items() for _, _, child in taken}


def cutoffs(matching: Mapping[str, str], places: Mapping[str, int], rank: Ranking) -> dict[str, Rank]:
    """Where the last child stands that a full activity took; whoever stands before it and wished so has a place."""
    taken: dict[str, list[Rank]] = {}
    for child, activity in matching.items():
        taken.setdefault(activity, []).append(rank(child, activity))
    return {activity: max(ranks) for activity, ranks in taken.items() if len(ranks) == places[activity]}
