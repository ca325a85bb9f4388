"""What a command wishes for a client's note -> the edits that do it, for ``change.py`` to carry out.

In: words that the command line has understood (days, entries, tasks), and the settings.  Out: deeds, which
make a note of a note and may be asked again of a newer text of it: what they need to know of the client they
read from the note that they are given.  Must not know: the disk, the clock, terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

from notesync.followup.client import Client, find_key, find_known_keys, list_keys
from notesync.followup.dates import YEARS, parse_date
from notesync.followup.recurrence import next_occurrence, parse_recurrence
from notesync.followup.settings import Settings
from notesync.followup.when import When
from notesync.notes.body import Entry, Task, parse_body
from notesync.notes.edit_header import Wish, set_properties
from notesync.notes.edit_log import NewEntry, add_entry
from notesync.notes.edit_tasks import add_task, close_task, move_task
from notesync.notes.links import find_tags
from notesync.notes.note import Note, normalise_key, parse_note
from notesync.problems import RefusedError, UsageError
from notesync.sync.change import Edit
from notesync.sync.client_note import read_as_client

Deed = Callable[[Note], Note]

_OPEN_SALE = 90  # days after which a sale without a delivery is history, and a delivery belongs to another


def build_edit(path: str, deed: Deed, settings: Settings) -> Edit:
    """The deed as an edit of the note's bytes."""
    known = find_known_keys(settings)
    return Edit(path, lambda data: deed(parse_note(data, path, known)).data)


def combine(*deeds: Deed) -> Deed:
    """One deed after the other."""

    def all_of_them(note: Note) -> Note:
        for deed in deeds:
            note = deed(note)
        return note

    return all_of_them


def set_keys(wishes: Mapping[str, Wish], settings: Settings) -> Deed:
    """The note with these keys set, by the names that the note or the vault has for them."""

    def deed(note: Note) -> Note:
        named = {find_key(note, key, settings): wish for key, wish in wishes.items()}
        return set_properties(note, named, list_keys(settings))

    return deed


# --- The log, and what comes next ------------------------------------------------------------------------


def log_entry(entry: NewEntry, settings: Settings) -> Deed:
    """The note with one more entry in its log."""
    return lambda note: add_entry(note, entry, settings.log_headings)


def read_entry(entry: NewEntry, settings: Settings) -> Entry:
    """What the log will say.  Raises UsageError for an entry that no log can hold."""
    note = add_entry(parse_note(b"", ""), entry, settings.log_headings)
    return parse_body(note, settings.log_headings).entries[0]


def add_tag(text: str, tag: str) -> str:
    """An entry's words with a tag behind the first line, unless they have it."""
    if not tag or tag in find_tags(text):
        return text
    first, end, rest = text.partition("\n")
    return f"{first.rstrip()} #{tag}{end}{rest}".lstrip()


def agree(when: When | None, action: str, settings: Settings) -> Deed:
    """The note with the next contact agreed, and what for; what is not given stays as it is."""

    def deed(note: Note) -> Note:
        wishes: dict[str, Wish] = {"next_action": action} if action else {}
        if when is not None:
            wishes["next_contact"] = _write_moment(note, when, settings)
        return set_keys(wishes, settings)(note)

    return deed


def _write_moment(note: Note, when: When, settings: Settings) -> str:
    """The day, and a time behind the sign that the note has there already."""
    found = note.get(normalise_key(find_key(note, "next_contact", settings)))
    old = found.values[0].text if found and found.values else ""
    between = " " if parse_date(old) is not None and " " in old.strip() else "T"
    return when.isoformat(between)


def pause(until: date | None, settings: Settings) -> Deed:
    """The note with a pause until a day, or without one."""

    def deed(note: Note) -> Note:
        wishes: dict[str, Wish] = {"paused_until": until.isoformat() if until else None}
        if until is None and read_as_client(note, settings).paused:
            wishes["prm-paused"] = False
        return set_keys(wishes, settings)(note)

    return deed


# --- Tasks -----------------------------------------------------------------------------------------------


def tick(task: Task, day: date, path: str, settings: Settings) -> Deed:
    """The note at a path with a task done, and the next line of one that recurs."""
    following = find_following(task, day, path) if task.recurrence is not None else None

    def deed(note: Note) -> Note:
        found = _find_again(note, task, settings)
        return close_task(note, found, day, following=following, log_headings=settings.log_headings)

    return deed


def put_off(task: Task, day: date, settings: Settings) -> Deed:
    """The note with a task moved to a day."""
    return lambda note: move_task(note, _find_again(note, task, settings), day, settings.log_headings)


def find_following(task: Task, done: date, path: str) -> dict[str, date]:
    """The dates of a recurring task's next occurrence.  Raises RefusedError for a rule that is not read."""
    rule = task.recurrence or ""
    recurrence, reason = parse_recurrence(rule)
    if recurrence is None:
        why = f"the task's rule '{rule}' is not read: {reason}"
        raise _refuse_rule(task, path, why, "Mend the rule, or tick the task by hand.")
    reference = task.due or task.scheduled or task.start
    if reference is None:
        return {"created": done}
    following = next_occurrence(recurrence, reference, done)
    if following is None or following.year not in YEARS:
        why = f"by the task's rule '{rule}' no other day comes"
        raise _refuse_rule(task, path, why, "Tick it by hand, without the rule.")
    days = {"due": task.due, "scheduled": task.scheduled, "start": task.start}
    shift = following - reference
    return {"created": done} | {name: day + shift for name, day in days.items() if day is not None}


def _refuse_rule(task: Task, path: str, why: str, mend: str) -> RefusedError:
    return RefusedError(f"bad-recurrence: {path}:{task.line} was left as it is: {why}. {mend}")


def _find_again(note: Note, task: Task, settings: Settings) -> Task:
    """The same task in the note as it is now: it may have moved up or down."""
    tasks = parse_body(note, settings.log_headings).tasks
    same = [each for each in tasks if _forget_place(each) == _forget_place(task)]
    if not same:
        raise RefusedError(
            f"task-moved: {note.path} was left as it is: the task '{task.text}' is not there any more. "
            "Look at the note, and try again."
        )
    return min(same, key=lambda each: abs(each.line - task.line))


def _forget_place(task: Task) -> Task:
    return task._replace(line=0, column=0, path="", entry_day=None)


# --- Sold and lost ---------------------------------------------------------------------------------------


class Sale(NamedTuple):
    """A sale: its day (None: today, or that of the sale whose delivery changes), delivery as ISO day or ``unknown``.

    ``delivery`` and ``value`` are '' where nothing is said of them.
    """

    day: date | None
    delivery: str
    value: str


class Meant(NamedTuple):
    """Which sale that is: its day, whether it is new, whether none is newer, what was told of its delivery."""

    day: date
    new: bool
    newest: bool
    delivery: str


def find_meant_sale(client: Client, sale: Sale, today: date) -> Meant:
    """Without a day, a delivery belongs to the newest sale that is not delivered yet; else it is sold today."""
    told = _list_sales(client)
    newest = max((day for day in told if day <= today), default=None)
    day = sale.day or today
    if sale.day is None and sale.delivery and newest is not None and today not in told:
        delivery = told[newest]
        open_still = delivery == "unknown" or delivery >= today.isoformat()
        if open_still or (not delivery and (today - newest).days <= _OPEN_SALE):
            day = newest
    return Meant(day, day not in told, all(day >= other for other in told), told.get(day, ""))


def _list_sales(client: Client) -> dict[date, str]:
    """The days of the sales, each with its delivery: an ISO day, ``unknown``, or '' where none was told."""
    sales: dict[date, str] = {}
    for entry in client.log:
        if "sold" in entry.tags and not entry.attempt:
            sales[entry.day] = sales.get(entry.day) or dict(entry.fields).get("delivery", "").casefold()
    sold, delivery = client.anchors.get("sold"), client.anchors.get("delivery")
    if sold is not None:
        sales.setdefault(sold.day, "")
    if sales and (delivery is not None or client.delivery_unknown):
        sales[max(sales)] = delivery.day.isoformat() if delivery else "unknown"
    return sales


def sell(sale: Sale, today: date, tell_by: date, settings: Settings, tasks_filter: str = "") -> Deed:
    """The note with a sale: an entry and the keys; or with another delivery, and the promise to tell the client.

    The keys tell of the newest sale only: one that they alone knew goes into the log before they change.
    """

    def deed(note: Note) -> Note:
        client = read_as_client(note, settings)
        meant = find_meant_sale(client, sale, today)
        if meant.new:
            note = _keep_older(note, client, meant, settings)
            note = log_entry(NewEntry(meant.day, text=_write_sale(sale.delivery, sale.value)), settings)(note)
        elif not meant.newest and (sale.delivery or sale.value):
            raise UsageError(
                f"older-sale: the sale of {meant.day} is not the newest, and the keys tell of that one alone. "
                "Write it into the entry of that sale by hand."
            )
        if meant.newest:
            wishes = _find_sale_keys(client, sale, meant)
            if not _is_newer(client, "lost", meant.day):
                wishes |= _find_stage(note, "customer", settings)
            note = set_keys(wishes, settings)(note)
        if meant.delivery and sale.delivery and sale.delivery != meant.delivery:
            note = add_task(
                note, _write_promise(sale.delivery, meant, tasks_filter), tell_by, settings.log_headings
            )
        return note

    return deed


def _find_sale_keys(client: Client, sale: Sale, meant: Meant) -> dict[str, Wish]:
    wishes: dict[str, Wish] = {"sold": meant.day.isoformat()}
    if sale.delivery or meant.new:
        wishes["delivery"] = sale.delivery or None
    if sale.value and (client.value is None or f"{client.value:.15g}" != sale.value):
        wishes["value"] = sale.value  # the same number stays as it is written
    return wishes


def _keep_older(note: Note, client: Client, meant: Meant, settings: Settings) -> Note:
    """The note with the sale of its keys in the log, where that does not have it yet."""
    sold = client.anchors.get("sold")
    if (
        sold is None
        or not meant.newest
        or any("sold" in entry.tags for entry in client.log if entry.day == sold.day)
    ):
        return note
    value = "" if client.value is None else f"{client.value:.15g}"
    words = _write_sale(_list_sales(client)[sold.day], value)
    return log_entry(NewEntry(sold.day, text=words), settings)(note)


def _write_sale(delivery: str, value: str) -> str:
    fields = [f"[delivery:: {delivery}]" if delivery else "", f"[value:: {value}]" if value else ""]
    return " ".join(("sold #sold", *filter(None, fields)))


def _write_promise(delivery: str, meant: Meant, tasks_filter: str) -> str:
    words = f"Tell them: the delivery is {'on ' if delivery != 'unknown' else ''}{delivery} now"
    before = "" if meant.delivery == "unknown" else f", not on {meant.delivery}"
    return " ".join(filter(None, (f"{words}{before} #promise", tasks_filter)))


def _is_newer(client: Client, anchor: str, day: date) -> bool:
    """Whether the other of ``sold`` and ``lost`` came after that day: then it decides on the stage."""
    other = client.anchors.get(anchor)
    return other is not None and other.day > day


def _find_stage(note: Note, stage: str, settings: Settings) -> dict[str, Wish]:
    """The stage to set: only where the note names one, and another."""
    found = note.get(normalise_key(find_key(note, "stage", settings)))
    says = [value.text.strip().casefold() for value in found.values] if found else []
    return {"stage": stage} if says and says != [stage] else {}


def lose(day: date, reason: str, channel: str, withdraw: bool, settings: Settings) -> Deed:
    """The note with no sale: an entry with the reason, and the keys."""

    def deed(note: Note) -> Note:
        wishes: dict[str, Wish] = {"lost": day.isoformat()}
        if not _is_newer(read_as_client(note, settings), "sold", day):
            wishes |= _find_stage(note, "lost", settings)
        if withdraw:
            wishes["do_not_contact"] = True
        entry = NewEntry(day, channel=channel, text=f"lost: {reason}")
        return set_keys(wishes, settings)(log_entry(entry, settings)(note))

    return deed
