"""The caretaker's visits as a calendar (RFC 5545): visits enter, the file leaves."""

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Calendar, Event

from libs.servicekit.db import now
from services.retail.desk.models import Visit
from services.retail.shops.models import Shop
from services.retail.stories.domain import in_language


def visits_file(visits: Iterable[tuple[Visit, Shop]]) -> bytes:
    """One event a visit; its note stays at the desk."""
    calendar = Calendar()
    calendar.add("prodid", "-//Coburg Digital//retail//DE")
    calendar.add("version", "2.0")
    for visit, shop in visits:
        said, event = shop.said, Event()
        event.add("uid", f"{visit.id}@retail")
        event.add("dtstamp", now())
        event.add("dtstart", visit.starts_at)
        event.add("dtend", visit.starts_at + timedelta(minutes=visit.minutes))
        event.add("summary", in_language(said.title, "de"))
        if said.place and said.place.street:
            event.add(
                "location", ", ".join(each for each in (said.place.street, said.place.locality) if each)
            )
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
