"""An agenda in, the page that a rep looks at on a phone out: HTML, complete without its script.

Every text of a note is cleaned and then escaped by the template.  Pure: it knows neither who asks nor where the
page is served; jinja2 and segno are imported when the first page is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from itertools import groupby
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


class Link(NamedTuple):
    """Something to touch: its words, its address, and what a screen reader says of it."""

    words: str
    address: str
    label: str


class Task(NamedTuple):
    """One follow-up of a client."""

    title: str
    kind: str
    when: str
    late: bool
    reason: str
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
    """A heading with its clients."""

    name: str
    title: str
    people: tuple[Person, ...]


def render_page(
    agenda: Agenda,
    owner: str,
    owners: Sequence[tuple[str, str]],
    *,
    vault: str,
    address: str,
    refreshed: datetime,
    failure: str = "",
) -> str:
    """The page for ``owner`` (in small letters; '' for all) among ``owners``, each with the name that is shown.

    ``address`` is that of the feed to subscribe to, ``failure`` says what keeps the page from being current.
    """
    items = [item for item in agenda.items if not owner or owner in map(_fold, item.owner)]
    today = date.fromisoformat(agenda.today)
    sections = list(_build_sections(items, today, vault, agenda.totals.currency))
    return _environment().get_template("agenda.html").render(
        vault=clean(vault),
        today=format_day(today),
        sections=sections,
        nothing=not any(section.people for section in sections),
        totals=_count(items, agenda.totals.currency),
        owner=owner,
        owners=[(folded, clean(name)) for folded, name in owners],
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


def _build_sections(items: Sequence[Item], today: date, vault: str, currency: str) -> Iterator[Section]:
    chosen: dict[str, list[Item]] = {OVERDUE: [], DUE: [], "undated": [], "week": []}
    for item in items:
        place = item.status if item.status in (OVERDUE, DUE) else "week"
        chosen["undated" if place == DUE and item.due is None else place].append(item)
    titles = {OVERDUE: "Overdue", DUE: "Today", "week": "This week", "undated": "Without a date"}
    for place, title in titles.items():
        yield Section(place, title, tuple(_gather(chosen[place], today, vault, currency)))


def _gather(items: Iterable[Item], today: date, vault: str, currency: str) -> Iterator[Person]:
    """The clients in the order of their most pressing item, each with all of theirs."""
    order: dict[str, int] = {}
    numbered = [(order.setdefault(item.client_path, len(order)), item) for item in items]
    numbered.sort(key=lambda pair: pair[0])
    for _, group in groupby(numbered, key=lambda pair: pair[0]):
        yield _build_person([item for _, item in group], today, vault, currency)


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
    """How to reach a client: only what they did not refuse, and a message by phone where that is wished for."""
    name = clean(item.client)
    ways = [("Call", "tel")] if "call" not in item.not_by else []
    if "message" in (item.channel, *item.contact_by) and "message" not in item.not_by:
        ways.append(("Message", "sms"))
    for phone in item.phone:
        dialled = "".join(sign for sign in phone if sign in "+0123456789")
        for word, scheme in ways if dialled else ():
            yield _link(f"{word} {clean(phone)}", f"{scheme}:{dialled}", name)
    if "email" not in item.not_by:
        for email in item.email:
            yield _link(f"Mail {clean(email)}", f"mailto:{_quote(email, '@')}", name)
    if item.address:
        place = _quote(" ".join(clean(item.address).split()), "")
        yield _link("Map", f"https://www.google.com/maps/search/?api=1&query={place}", name)
    yield _link("Note", build_link(vault, item.client_path), f"{name}, in Obsidian")


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
        item.status == OVERDUE,
        "; ".join(filter(None, (clean(item.reason), ONLY_COPY if item.conflict else ""))),
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


def _count(items: Sequence[Item], currency: str) -> str:
    late = [item for item in items if item.status == OVERDUE]
    due = sum(item.status == DUE for item in items)
    risk = sum({item.client_path: item.value or 0.0 for item in late}.values())
    words = f"{len(late)} overdue, {due} due now"
    return f"{words}, {format_money(risk, currency)} at risk" if risk else words


def _describe(problem: Problem) -> str:
    return clean(f"{problem.path}:{problem.line}: {problem.message} {problem.hint}".rstrip())


def _draw(address: str) -> str:
    """A QR code as an inline drawing."""
    import segno

    return str(
        segno.make(address, error="m", micro=False).svg_inline(
            scale=4, dark="#000", light="#fff", svgclass="code", title="QR code of the calendar's address"
        )
    )
