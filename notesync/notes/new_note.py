"""What a new note begins with: a template with its placeholders filled, or properties and a body -> a :class:`Note`.

In: a template's note, a title and a moment; or values by key.  Out: a note that no file holds yet.  Must
not know: clients, what a key means, the clock, the disk.

The placeholders are those of Obsidian's core Templates plugin: ``{{title}}``, ``{{date}}``, ``{{time}}``,
the last two also with a format of their own (``{{date:dddd D MMMM}}``), written as moment.js has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from notesync.notes.edit import Splice, apply_splices, check_wish, refuse
from notesync.notes.edit_header import Wish, set_properties
from notesync.notes.note import Note, parse_note
from notesync.notes.quoting import render_value
from notesync.notes.spelled import MONTH_NAMES

DATE_FORMAT = "YYYY-MM-DD"
TIME_FORMAT = "HH:mm"
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LONG_FORMS = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "LLL": "MMMM D, YYYY h:mm A",
    "LL": "MMMM D, YYYY",
    "L": "MM/DD/YYYY",
}


@lru_cache(maxsize=1)
def _compile_placeholder() -> re.Pattern[str]:
    return re.compile(r"\{\{\s*(title|date|time)\s*(?::([^{}\r\n]*))?\}\}", re.IGNORECASE)


# --- From a template -------------------------------------------------------------------------------------


def fill_template(
    template: Note,
    path: str,
    title: str,
    moment: datetime,
    date_format: str = DATE_FORMAT,
    time_format: str = TIME_FORMAT,
) -> Note:
    """The template as a note of that title made at that moment, for the file at ``path``.

    A value of the front matter that a placeholder stands in gets the quotes that it then needs.  Raises
    RefusedError where placeholders are left that only another plugin can fill.
    """
    check_wish(title)
    formats = {"date": date_format or DATE_FORMAT, "time": time_format or TIME_FORMAT}

    def fill(found: re.Match[str]) -> str:
        name = found[1].casefold()
        return title if name == "title" else format_moment(moment, found[2] or formats[name])

    text = _fill_header(template, fill)
    note = parse_note(template.encode(text), path)
    for problem in note.problems:
        if problem.code in ("template", "bad-yaml", "unclosed-front-matter"):
            why = f"on its line {problem.line} stands what cannot be filled in"
            mend = "Of a template's placeholders only {{title}}, {{date}} and {{time}} are known."
            raise refuse(template, problem.line, "bad-template", why, mend)
    return note


def _fill_header(template: Note, fill: Callable[[re.Match[str]], str]) -> str:
    """The template's text, filled: words stand in for the placeholders while it is seen where values are."""
    placeholder = _compile_placeholder()
    values: dict[str, str] = {}
    stem = "placeholder"
    while stem in template.text:
        stem += "x"

    def stand_in(found: re.Match[str]) -> str:
        word = f"{stem}{len(values)}z"
        values[word] = fill(found)
        return word

    note = parse_note(template.encode(placeholder.sub(stand_in, template.text)), template.path)
    word = re.compile(rf"{stem}[0-9]+z")

    def put_in(text: str) -> str:
        return word.sub(lambda found: values[found[0]], text)

    return put_in(apply_splices(note.text, _find_values(note, word, put_in)))


def _find_values(note: Note, word: re.Pattern[str], put_in: Callable[[str], str]) -> Iterator[Splice]:
    """Each value with a placeholder in it, filled and quoted as it then has to be."""
    for item in note.properties:
        for value in item.values:
            sign = note.text[value.start]
            if word.search(value.text) and (value.plain or sign in "\"'"):
                rendered = render_value(put_in(value.text), "" if value.plain else sign, item.is_list)
                yield Splice(value.start, value.end, rendered)


# --- From nothing ----------------------------------------------------------------------------------------


def build_note(path: str, wishes: Mapping[str, Wish], body: str, order: Sequence[str]) -> Note:
    """A note with these properties, in their order, and a body below them."""
    import frontmatter
    from frontmatter.default_handlers import YAMLHandler

    check_wish(body)

    class Handler(YAMLHandler):
        """Writes values as everywhere else: in our order, in quotes only where they are needed."""

        def export(self, metadata: dict[str, object], **_: object) -> str:
            empty = parse_note(b"---\n---\n", path)
            note = set_properties(empty, wishes, order)
            return note.text[note.header_start : note.header_end].rstrip("\n")

    post = frontmatter.Post(body.strip("\r\n"))
    return parse_note((frontmatter.dumps(post, handler=Handler()) + "\n").encode(), path)


# --- moment.js -------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _compile_token() -> re.Pattern[str]:
    return re.compile(
        r"\[([^\[\]]*)\]|LTS|LT|L{1,4}|Mo|M{1,4}|Do|DDDo|D{1,4}|do|d{1,4}|Qo|Q|Wo|WW?|wo|ww?|YYYY|YY|gggg|gg|GGGG|GG"
        r"|E|e|HH?|hh?|kk?|mm?|ss?|S{1,3}|A|a"
    )


def format_moment(moment: datetime, pattern: str) -> str:
    """A moment as moment.js writes it in English; letters that it has no meaning for stay as they are."""
    pattern = _expand(pattern)
    parts = _list_parts(moment)

    def write(found: re.Match[str]) -> str:
        return found[1] if found[1] is not None else parts[found[0]]

    return _compile_token().sub(write, pattern)


def _expand(pattern: str) -> str:
    return _compile_token().sub(lambda found: _LONG_FORMS.get(found[0], found[0]), pattern)


def _list_parts(moment: datetime) -> dict[str, str]:
    """Every token with what it means at that moment."""
    month, weekday = MONTH_NAMES[moment.month - 1].capitalize(), moment.isoweekday() % 7
    day_name, year_day = _WEEKDAYS[weekday], moment.timetuple().tm_yday
    iso_year, iso_week, iso_day = moment.isocalendar()
    # English weeks end on Saturday, and belong to the year that their Saturday is in.
    saturday = moment + timedelta(6 - weekday) if moment.year < 9999 else moment
    week = (saturday.timetuple().tm_yday - 1) // 7 + 1
    hour, half = moment.hour % 12 or 12, "pm" if moment.hour > 11 else "am"
    numbers = {
        "M": moment.month, "D": moment.day, "DDD": year_day, "d": weekday, "Q": (moment.month + 2) // 3,
        "W": iso_week, "w": week,
    }  # fmt: skip
    texts = {name: str(number) for name, number in numbers.items()}
    texts |= {f"{name}o": _write_ordinal(number) for name, number in numbers.items()}
    short = moment.year % 100
    return texts | {
        "YYYY": f"{moment.year:04}", "YY": f"{short:02}", "gggg": f"{saturday.year:04}",
        "gg": f"{saturday.year % 100:02}", "GGGG": f"{iso_year:04}", "GG": f"{iso_year % 100:02}",
        "MMMM": month, "MMM": month[:3], "MM": f"{moment.month:02}", "DDDD": f"{year_day:03}",
        "DD": f"{moment.day:02}", "dddd": day_name, "ddd": day_name[:3], "dd": day_name[:2],
        "WW": f"{iso_week:02}", "ww": f"{week:02}", "E": str(iso_day), "e": str(weekday),
        "HH": f"{moment.hour:02}", "H": str(moment.hour), "hh": f"{hour:02}", "h": str(hour),
        "kk": f"{moment.hour or 24:02}", "k": str(moment.hour or 24), "mm": f"{moment.minute:02}",
        "m": str(moment.minute), "ss": f"{moment.second:02}", "s": str(moment.second),
        "SSS": f"{moment.microsecond // 1000:03}", "SS": f"{moment.microsecond // 10_000:02}",
        "S": str(moment.microsecond // 100_000), "A": half.upper(), "a": half,
    }  # fmt: skip


def _write_ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"
