"""Every event type there is, by name. A new type exists once its class stands here."""

from libs.contracts import agenda, notify, offers, retail, search
from libs.contracts.event import Fact

_TYPES: tuple[type[Fact], ...] = (
    offers.BoardPublished,
    offers.BoardChanged,
    offers.BoardWithdrawn,
    offers.ImprovementOffered,
    offers.ImprovementAccepted,
    offers.ImprovementDeclined,
    offers.ImprovementLapsed,
    offers.ProviderPublished,
    offers.ProviderChanged,
    offers.ProviderWithdrawn,
    offers.OfferPublished,
    offers.OfferChanged,
    offers.OfferWithdrawn,
    offers.OfferExpired,
    offers.OfferHidden,
    search.ResultRated,
    retail.ShopPublished,
    retail.ShopChanged,
    retail.ShopWithdrawn,
    retail.LunchPublished,
    retail.LunchChanged,
    retail.LunchWithdrawn,
    retail.StoryPublished,
    retail.StoryChanged,
    retail.StoryWithdrawn,
    agenda.PrioritySet,
    agenda.PriorityLifted,
    agenda.SiteAnnounced,
    agenda.SiteChanged,
    agenda.SiteEnded,
    offers.SessionScheduled,
    offers.SessionMoved,
    offers.SessionChanged,
    offers.SessionCancelled,
    offers.BudgetChanged,
    offers.BudgetWarned,
    offers.NeedObserved,
    offers.NeedSettled,
    offers.PeriodOpened,
    offers.PeriodClosed,
    offers.PeriodAllocated,
    notify.MessageRequested,
    search.QueryUnanswered,
)

# Public facts, under `city.`; what services ask of each other, under `internal.`; and both.
CATALOGUE: dict[str, type[Fact]] = {fact.name: fact for fact in _TYPES if not fact.internal}
INTERNAL: dict[str, type[Fact]] = {fact.name: fact for fact in _TYPES if fact.internal}
EVERY = CATALOGUE | INTERNAL


def of_service(service: str) -> dict[str, type[Fact]]:
    """The public event types of one service."""
    return {name: fact for name, fact in CATALOGUE.items() if fact.part("service") == service}
