"""An agenda in, the page that a rep looks at on a phone out: HTML, complete without its script.

Every text of a note is cleaned and then escaped by the template.  Pure: it knows neither who asks nor where the
page is served; jinja2 and segno are imported when the first page is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import date, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from notesync.followup.agenda import DUE, OVERDUE
from notesync.followup.dates import format_day
from notesync.publish.calendar import build_link
from notesync.publish.text import ONLY_COPY, clean, format_count, format_minutes, format_money

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from notesync.followup.items import Agenda, Item
    from notesync.problems import Problem

_FOLDER = "html"
VIEWS = ("", "client")  # by day, and by client from A to Z
SHOWN = 200  # clients of a section: a page of thousands would be of no use on a phone, and slow


class Link(NamedTuple):
    """Something to touch: its words, its address, and what a screen reader says of it."""

    words: str
    address: str
    label: str


class Count(NamedTuple):
    """A number at the top of the page, with the section that it leads to, '' for none."""

    name: str
    number: str
    words: str
    anchor: str


class Task(NamedTuple):
    """One follow-up of a client."""

    title: str
    kind: str
    when: str
    status: str
    reason: str
    doubt: str
    ask: tuple[str, ...]
    minutes: str


class Person(NamedTuple):
    """A client with what there is to do in one section."""

    name: str
    company: str
    best_time: str
    by: str
    not_by: str
    links: tuple[Link, ...]
    value: str
    tasks: tuple[Task, ...]


class Section(NamedTuple):
    """A heading with its clients, and how many more there are."""

    name: str
    title: str
    people: tuple[Person, ...]
    more: int


def render_page(
    agenda: Agenda,
    owner: str,
    owners: Sequence[tuple[str, str]],
    *,
    vault: str,
    address: str,
    refreshed: datetime,
    failure: str = "",
    view: str = VIEWS[0],
) -> str:
    """The page for ``owner`` (in small letters; '' for all) among ``owners``, each with the name that is shown.

    ``address`` is that of the feed to subscribe to, ``failure`` says what keeps the page from being current,
    ``view`` is one of :data:`VIEWS`.
    """
    items = [item for item in agenda.items if not owner or owner in map(_fold, item.owner)]
    today = date.fromisoformat(agenda.today)
    build = _build_by_client if view == "client" else _build_by_day
    sections = list(build(items, today, vault, agenda.totals.currency))
    return _environment().get_template("agenda.html").render(
        vault=clean(vault),
        today=format_day(today),
        sections=sections,
        nothing=not items,
        counts=list(_count(items, agenda.totals.currency, {section.name for section in sections})),
        owner=owner,
        owner_name=next((clean(name) for folded, name in owners if folded == owner), ""),
        owners=[(folded, clean(name)) for folded, name in owners],
        view=view,
        problems=[_describe(problem) for problem in agenda.problems],
        refreshed=refreshed.strftime("%Y-%m-%d %H:%M"),
        failure=clean(failure),
        address=address,
        webcal=f"webcal:{address.partition(':')[2]}",
        code=_draw(address),
    )  # fmt: skip


def render_closed() -> str:
    """What somebody sees who has not opened the page by its secret address."""
    return _environment().get_template("closed.html").render()


@cache
def load_part(name: str) -> bytes:
    """The style or the script that belongs to the pages."""
    loader = _environment().loader
    if loader is None:
        raise LookupError(name)
    return loader.get_source(_environment(), name)[0].encode()


def load_template(name: str) -> Template:
    """A page's template, which escapes what is put into it."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("notesync.publish", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


# what is shown --------------------------------------------------------------------------------------


def _fold(name: str) -> str:
    from unicodedata import normalize

    return normalize("NFC", name).casefold()


_TITLES = {OVERDUE: "Overdue", DUE: "Today", "week": "This week", "undated": "Without a date"}


def _build_by_day(items: Sequence[Item], today: date, vault: str, currency: str) -> Iterator[Section]:
    chosen: dict[str, list[Item]] = {place: [] for place in _TITLES}
    for item in items:
        chosen[_find_place(item)].append(item)
    for place, title in _TITLES.items():
        if chosen[place]:
            yield _build_section(place, title, _gather(chosen[place]), today, vault, currency)


def _find_place(item: Item) -> str:
    if item.status == DUE and item.due is None:
        return "undated"
    return item.status if item.status in (OVERDUE, DUE) else "week"


def _build_by_client(items: Sequence[Item], today: date, vault: str, currency: str) -> Iterator[Section]:
    def spell(group: Sequence[Item]) -> tuple[str, str]:
        from unicodedata import normalize

        # Accents apart, so that É stands by E and not behind Z.
        return normalize("NFD", clean(group[0].client).casefold()), group[0].client_path

    if items:
        groups = sorted(_gather(items), key=spell)
        yield _build_section("clients", "Clients from A to Z", groups, today, vault, currency)


def _build_section(
    name: str, title: str, groups: Sequence[Sequence[Item]], today: date, vault: str, currency: str
) -> Section:
    people = tuple(_build_person(group, today, vault, currency) for group in groups[:SHOWN])
    return Section(name, title, people, len(groups) - len(people))


def _gather(items: Iterable[Item]) -> list[list[Item]]:
    """Each client's items together, the clients in the order of their most pressing one."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.client_path, []).append(item)
    return list(groups.values())


def _build_person(items: Sequence[Item], today: date, vault: str, currency: str) -> Person:
    first = items[0]
    return Person(
        clean(first.client),
        clean(first.company),
        clean(first.best_time),
        clean(" or ".join(dict.fromkeys(way for way in first.contact_by if way not in first.not_by))),
        clean(" or ".join(first.not_by)),
        tuple(_build_links(first, vault)),
        format_money(first.value, currency),
        tuple(_build_task(item, today) for item in items),
    )


def _build_links(item: Item, vault: str) -> Iterator[Link]:
    """How to reach a client, first the way that they like best; and where they are, and what is known of them."""
    ways = sorted(_find_ways(item), key=lambda way: _rank(item, way[0]))
    yield from (link for _, link in ways)
    yield _link("Note", build_link(vault, item.client_path), f"{clean(item.client)}, in Obsidian")


def _find_ways(item: Item) -> Iterator[tuple[str, Link]]:
    """Only what they did not refuse, and a message by phone where that is wished for; each with its channel."""
    name = clean(item.client)
    channels = [("call", "Call", "tel")]
    if "message" in (item.channel, *item.contact_by):
        channels.append(("message", "Message", "sms"))
    for phone in item.phone:
        dialled = _find_dialled(phone)
        for channel, word, scheme in channels if dialled else ():
            if channel not in item.not_by:
                yield channel, _link(f"{word} {clean(phone)}", f"{scheme}:{dialled}", name)
    if "email" not in item.not_by:
        for email in item.email:
            words = f"Mail {clean(email)}" if len(item.email) > 1 else "Mail"
            yield "email", _link(words, f"mailto:{_quote(email, '@')}", f"{name}, {clean(email)}")
    if item.address:
        place = _quote(" ".join(clean(item.address).split()), "")
        yield "visit", _link("Map", f"https://www.google.com/maps/search/?api=1&query={place}", name)


# A number as people write it: words around it ("home", "ext 12") are none of it.
_NUMBER = re.compile(r"(?:\+\s?)?[0-9(][0-9\s()./\-\u2010-\u2015]*")
_TRUNK = re.compile(r"(?<=[0-9\s])\(0\)")  # of +27 (0)71: dialled only where the country is not
_SHORTEST = 5  # digits of what is a number, and not "line 2"
_WHOLE = 7  # digits after which a stroke is before another number, and not behind the area's


def _find_dialled(phone: str) -> str:
    """What to dial: the first number of a text, '' where there is none."""
    found = [_keep_first(number) for number in _NUMBER.findall(phone)]
    return next((number for number in found if len(number) >= _SHORTEST), max(found, key=len, default=""))


def _keep_first(number: str) -> str:
    kept = ""
    for part in (_TRUNK.sub("", number) if number.startswith("+") else number).split("/"):
        if len(kept) >= _WHOLE:
            break
        kept += "".join(sign for sign in part if sign in "+0123456789")
    return kept


def _rank(item: Item, channel: str) -> int:
    wishes = item.contact_by
    return wishes.index(channel) if channel in wishes else len(wishes)


def _link(words: str, address: str, what: str) -> Link:
    """What is read out begins with what is shown, or nobody could say it to a phone that listens."""
    return Link(words, address, f"{words}: {what}")


def _quote(text: str, safe: str) -> str:
    return quote(clean(text), safe=safe)


def _build_task(item: Item, today: date) -> Task:
    ask = tuple(map(clean, item.ask))
    return Task(
        clean(item.title),
        clean(item.kind.replace("-", " ")),
        _find_when(item, today),
        item.status,
        "" if _is_said(item.reason, item.due) else clean(item.reason),
        _find_doubt(item),
        ask,
        format_minutes(item.minutes) if item.minutes else "",
    )


def _find_when(item: Item, today: date) -> str:
    if item.due is None:
        return "no date"
    due = date.fromisoformat(item.due[:10])
    at = f" {item.due[11:16]}" if len(item.due) > 10 else ""
    day = format_day(due, today.year)
    if item.status == OVERDUE:
        late = f"{format_count(item.days_late, 'day')} late" if item.days_late else "overdue today"
        return f"{late}, was due {day}{at}"
    opens = item.opens and date.fromisoformat(item.opens[:10])
    if opens and opens > today and opens != due:
        return f"{format_day(opens, today.year)} to {day}{at}"
    return f"today{at}" if due == today else f"{'until ' if item.status == DUE else ''}{day}{at}"


def _is_said(reason: str, due: str | None) -> bool:
    """Whether the reason is only the day, which stands beside it."""
    return due is not None and reason == f"due {format_day(date.fromisoformat(due[:10]), 0)}"


def _find_doubt(item: Item) -> str:
    """What keeps an item from being certain."""
    if item.conflict:
        return f"{ONLY_COPY[:1].upper()}{ONLY_COPY[1:]}."
    return "As of the note's last good reading: it cannot be read now." if item.stale else ""


def _count(items: Sequence[Item], currency: str, places: Set[str]) -> Iterator[Count]:
    """The numbers that are seen first; each leads to its section where there is one."""
    words = {OVERDUE: "overdue", DUE: "due now", "week": "this week"}
    late = [item for item in items if item.status == OVERDUE]
    for place, title in words.items():
        number = sum(place in (item.status, _find_place(item)) for item in items)
        yield Count(place, str(number), title, place if place in places else "")
    risk = sum({item.client_path: item.value or 0.0 for item in late}.values())
    if risk:
        yield Count("risk", format_money(risk, currency), "at risk", "")


def _describe(problem: Problem) -> str:
    return clean(f"{problem.path}:{problem.line}: {problem.message} {problem.hint}".rstrip())


@lru_cache(maxsize=64)
def _draw(address: str) -> str:
    """A QR code as an inline drawing."""
    import segno

    return str(
        segno.make(address, error="m", micro=False).svg_inline(
            scale=4, dark="#000", light="#fff", svgclass="code", title="QR code of the calendar's address"
        )
    )
