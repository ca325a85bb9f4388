"""A client's log in, its newest sale out, and what is wrong with its entries' fields: days and amounts that count
for nothing.

A sale's `[delivery:: …]` and `[value:: …]`, and a promise's or complaint's `[due:: …]`, start steps and say when they
fall due: one that cannot be read must not go without a word.  A 📅 is the log's own to judge.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from notesync.followup.dates import parse_date, suggest_date
from notesync.followup.money import parse_money
from notesync.problems import ERROR, WARNING, Problem, clip

if TYPE_CHECKING:
    from datetime import date

    from notesync.notes.body import Entry

_LONGEST = 80  # characters of a value that are looked at for what it could mean


def find_newest_sale(log: Iterable[Entry]) -> Entry | None:
    """The newest entry that records a sale; the keys repeat it, where somebody kept them."""
    newest: Entry | None = None
    for entry in log:
        if entry.tags and "sold" in entry.tags and not entry.attempt:
            newest = entry if newest is None or entry.day > newest.day else newest
    return newest


def find_delivery(sale: Entry | None) -> date | None:
    """The day of delivery that a sale's entry tells, if it does."""
    written = None if sale is None else parse_date(dict(sale.fields).get("delivery", ""))
    return written and written.day


def find_entry_problems(path: str, log: Iterable[Entry]) -> Iterator[Problem]:
    """The problems of the fields that count in the entries of a note's own log."""
    for entry in log:
        if not entry.fields:
            continue
        for key, text in entry.fields:
            wrong = _judge(entry, key, text.strip())
            if wrong is not None:
                yield Problem(path, entry.line, entry.column, *wrong)


def _judge(entry: Entry, key: str, text: str) -> tuple[str, str, str, str] | None:
    """Code, severity, message and hint; None where all is well, or the field counts for nothing here."""
    is_sale = "sold" in entry.tags
    if key == "value" and is_sale and text:
        number, hint = parse_money(text)
        message = f"`value` is not a number that can be read for certain: `{clip(text)}`."
        return ("bad-number", ERROR, message, hint) if number is None else None
    is_owed = "promise" in entry.tags or "complaint" in entry.tags
    if not text or not ((key == "delivery" and is_sale) or (key == "due" and is_owed)):
        return None
    written = parse_date(text)
    if written is None:
        if key == "delivery" and text.casefold() == "unknown":
            return None
        message = f"`{key}` is not a date that can be read for certain: `{clip(text)}`."
        meant = suggest_date(text[:_LONGEST]) or "2026-11-25"
        return "bad-date", ERROR, message, f"Write `{meant.replace(' or ', '` or `')}`."
    if key == "delivery" and written.day < entry.day:
        message = f"`delivery` ({written.day}) is before this sale ({entry.day}), so it does not count."
        return "early-delivery", WARNING, message, "Write the day promised for this sale, or `unknown`."
    return None
