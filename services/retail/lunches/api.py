"""HTTP edge of the lunch guide."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from libs.contracts.card import Name, Place, Text
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging
from libs.httpkit.params import Id, today
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import FieldError, Invalid, NotFound
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr
from libs.town import calendar
from libs.town.places import Point
from services.retail.lunches import commands, queries
from services.retail.lunches.collecting import Became
from services.retail.lunches.domain import WEEK, Dish, WeekMenu, coming_week, monday_of
from services.retail.lunches.models import Menu
from services.retail.lunches.parsing import MAX_CHARACTERS, Parsed, parse
from services.retail.lunches.words import read
from services.retail.shops import queries as shops

router = APIRouter(prefix="/v1", tags=["lunches"])
Writer = Annotated[Principal, require("editor", "provider")]
MAX_RADIUS = 50_000


Week = Annotated[CleanStr, Path(pattern=WEEK, description="By ISO 8601, such as 2026-W48.")]


class MenuBody(WeekMenu):
    """A week's menu; it is shown once it is confirmed."""

    confirmed: bool = True


class MenuView(WeekMenu):
    """A shop's menu for a week."""

    shop_id: str
    week: str
    confirmed: bool
    version: int
    changed_at: datetime


class PastedMenu(Body):
    """A menu as a text, and the week that it is for where the text itself does not say."""

    text: Annotated[CleanStr, Field(min_length=1, max_length=MAX_CHARACTERS)]
    week: Annotated[str, Field(pattern=WEEK)] | None = None


class LineView(BaseModel):
    """A line of the text, and what it was taken for."""

    number: int
    text: str
    became: Became


class QuestionView(BaseModel):
    """What a person has to look at, with a code that stays and the town's words."""

    line: int
    code: str
    message: Text


class ParsedView(BaseModel):
    """What was understood of a text: a menu to be confirmed, line by line, and what is asked back."""

    week: str
    menu: WeekMenu
    lines: list[LineView]
    questions: list[QuestionView]


class LunchShop(BaseModel):
    """Whose lunch it is."""

    id: str
    title: Text
    place: Place | None


class LunchView(BaseModel):
    """A shop's lunch on a day; `distance` in metres, null without `near`."""

    id: str
    shop: LunchShop
    day: date
    starts_at: datetime
    ends_at: datetime
    dishes: list[Dish]
    distance: int | None


class SoldOut(Body):
    """Which dish of a day, counted from 0, or all without one; `sold_out` false takes it back."""

    dish: Annotated[int, Field(ge=0, le=50)] | None = None
    sold_out: bool = True


class MenuWordsView(BaseModel):
    """The town's words for dishes, each with its labels by language."""

    allergens: dict[str, Text]
    additives: dict[str, Text]
    diets: dict[str, Text]


@router.get("/lunches")
def list_lunches(
    session: Reading,
    request: Request,
    page: Paging,
    day: date | None = None,
    near: Annotated[
        CleanStr | None,
        Query(pattern=r"^-?\d{1,2}(\.\d{1,9})?,-?\d{1,3}(\.\d{1,9})?$", description="LAT,LON"),
    ] = None,
    radius: Annotated[int, Query(ge=50, le=MAX_RADIUS, description="In metres.")] = 5000,
    diet: Annotated[list[Name] | None, Query(max_length=5)] = None,
    price_max: Annotated[int | None, Query(ge=0, le=100_000, description="In cents.")] = None,
) -> Items[LunchView]:
    """What there is at noon on a day, today unless another is named; near somewhere the nearest first. Only menus that
    somebody confirmed, and that are not sold out."""
    wanted = queries.Wanted(day or today(request), _point(near), radius / 1000, diet or (), price_max)
    skip = page.after_number
    found = queries.find(session, wanted, page.limit, skip)
    following = str(skip + page.limit) if len(found) > page.limit else None
    return Items(items=[_lunch(hit) for hit in found[: page.limit]], next=following)


def _point(near: str | None) -> Point | None:
    if near is None:
        return None
    lat, lon = (float(part) for part in near.split(","))
    if abs(lat) > 90 or abs(lon) > 180:
        raise Invalid(FieldError(field="near", reason="is no place on earth", code="no-place"))
    return lat, lon


def _lunch(hit: queries.Hit) -> LunchView:
    said = hit.shop.said
    return LunchView(
        id=hit.lunch.id,
        shop=LunchShop(id=hit.shop.id, title=said.title, place=said.place),
        day=hit.lunch.day,
        starts_at=hit.lunch.starts_at,
        ends_at=hit.lunch.ends_at,
        dishes=hit.lunch.served,
        distance=None if hit.km is None else round(hit.km * 1000),
    )


@router.get("/lunches/vocabulary")
def get_menu_words(request: Request) -> MenuWordsView:
    """The words that a dish can be described by."""
    return MenuWordsView(**read(request.app.state.kit.settings.city).labels)


@router.post("/shops/{shop_id}/menus/parse")
def parse_menu(
    shop_id: Id, body: PastedMenu, caller: Writer, session: Reading, request: Request
) -> ParsedView:
    """What a pasted text would mean as a menu; nothing is kept. Codes behind dishes count where the text, or the shop's
    last menu, explains them."""
    shops.own(session, caller, shop_id)
    last = queries.newest(session, shop_id)
    legend = last.said.legend if last else {}
    words, day = read(request.app.state.kit.settings.city), today(request)
    week = _checked(body.week) if body.week else coming_week(day)
    return _parsed(parse(body.text, words, day, legend, week), request)


def _parsed(found: Parsed, request: Request) -> ParsedView:
    words = read(request.app.state.kit.settings.city)
    return ParsedView(
        week=found.week,
        menu=found.menu,
        lines=[LineView(number=each.number, text=each.text, became=each.became) for each in found.lines],
        questions=[
            QuestionView(line=each.line, code=each.code, message=words.question(each.code, each.params))
            for each in found.questions
        ],
    )


@router.get("/shops/{shop_id}/menus/{week}")
def get_menu(shop_id: Id, week: Week, session: Reading, caller: Anyone, response: Response) -> MenuView:
    """A shop's menu for a week; one that nobody confirmed is for its own people."""
    shops.one(session, caller, shop_id)
    menu = queries.menu_there(session, shop_id, _checked(week))
    if not menu.confirmed and not shops.acts_for(caller, shop_id):
        raise NotFound("menu")
    return _answer(menu, response)


@router.put("/shops/{shop_id}/menus/{week}")
def put_menu(
    shop_id: Id,
    week: Week,
    body: MenuBody,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> MenuView:
    """Say what a shop serves in a week, all of it; version 0 is that of a week without a menu."""
    said = WeekMenu.model_validate(body.model_dump(exclude={"confirmed"}))
    days, named = calendar.read(request.app.state.kit.settings.city), _checked(week)
    menu = commands.say(session, caller, shop_id, named, expected, said, days, confirmed=body.confirmed)
    return _answer(menu, response)


@router.post("/shops/{shop_id}/menus/{week}/repeat", status_code=201, response_model=MenuView)
def repeat_menu(
    shop_id: Id, week: Week, caller: Writer, session: Transaction, idempotency: Idempotency
) -> Response:
    """Take over the shop's last menu for this week. It is shown once somebody confirms it."""
    menu = commands.repeat(session, caller, shop_id, _checked(week))
    return idempotency.answer(_view(menu), 201, etag(menu.version))


@router.post("/shops/{shop_id}/menus/{week}/confirm")
def confirm_menu(
    shop_id: Id, week: Week, caller: Writer, session: Transaction, request: Request, response: Response
) -> MenuView:
    """Say that a menu is right as it stands, so that it is shown."""
    days = calendar.read(request.app.state.kit.settings.city)
    return _answer(commands.confirm(session, caller, shop_id, _checked(week), days), response)


@router.post("/shops/{shop_id}/lunches/{day}/sold-out")
def sell_out(shop_id: Id, day: date, body: SoldOut, caller: Writer, session: Transaction) -> list[Dish]:
    """Say that a dish is sold out, or there again."""
    return commands.sell_out(session, caller, shop_id, day, body.dish, gone=body.sold_out).served


def _checked(week: str) -> str:
    try:
        monday_of(week)
    except ValueError:
        reason = "its year has no such week"
        raise Invalid(FieldError(field="week", reason=reason, code="week-unknown")) from None
    return week


def _view(menu: Menu) -> MenuView:
    plain = menu.model_dump(exclude={"content"})
    return MenuView(**dict(menu.said), **plain)


def _answer(menu: Menu, response: Response) -> MenuView:
    response.headers.update(etag(menu.version))
    return _view(menu)
