"""HTTP edge of outcomes: operators ask what became of a fact."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.httpkit.auth import require
from libs.httpkit.transactions import Reading
from libs.servicekit.principal import Principal
from services.notify.outcomes import queries
from services.notify.outcomes.views import Outcome

router = APIRouter(prefix="/v1/deliveries", tags=["operations"])
Operator = Annotated[Principal, require("operator")]
FactId = Annotated[
    str,
    Query(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="An event's id, the beginning of one, or `last`.",
    ),
]


@router.get("")
def list_deliveries(fact: FactId, session: Reading, _actor: Operator) -> list[Outcome]:
    """Whom one fact reached, how and when, or why not; at most 1000 of each way."""
    return queries.of_fact(session, fact)
