"""Conflict copies in, what a person or a program reads of them out: lists, one in full, what a merge did.

Pure: it must not know the disk, the clock or how a merge is made.  Nothing of a note reaches a terminal but cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from notesync.publish.text import FORMAT_VERSION, clean, format_count, quote_path, render_object
from notesync.store.cases import ASKS, DONE, MERGES, NOTHING_NEW, REFUSED, Case, Sheet

if TYPE_CHECKING:
    from notesync.notes.differences import Differences, Said
    from notesync.notes.versions import Asked
    from notesync.store.conflicts import Copy

Row = tuple[int, str, str]
"""A row of an outline: indent, cleaned text, style."""

_NOUNS = {"field": "field", "entry": "log entry", "task": "task", "text": "other line"}
_PLURALS = {"entry": "log entries"}
_HEADINGS = {"entry": "Log", "task": "Tasks", "text": "Other text"}
_MARKS = "the marks of an unfinished merge"
_STYLES = {ASKS: "yellow", REFUSED: "red", MERGES: "green", NOTHING_NEW: "green", DONE: "dim"}
_LINE = re.compile(r"[^\r\n]+")
_SHOWN = 20  # lines of a version, of those that a question is about


# Words --------------------------------------------------------------------------------------------


def describe_source(copy: Copy) -> str:
    """Where a copy is from, as far as its name tells: ``named as Dropbox does, from Anna, 2026-11-22``."""
    parts, moment = [], ""
    for tag in copy.tags:
        who = clean(tag.machine)
        moment = tag.at.replace("T", " ")
        if not who:
            origin = ""
        elif tag.by_winner:
            origin = f"when the version of device {who} came in"
        else:
            origin = f"from {who}"
        parts.append(", ".join(part for part in (f"named as {tag.engine} does", origin, moment) if part))
    words = "; before that ".join(parts)
    return words if copy.sure else f"{words}, but any note may be called so"


def describe_counts(differences: Differences) -> str:
    """``1 field, 2 log entries``: how much differs."""
    words = [
        format_count(count, _NOUNS[kind])
        if count == 1 or kind not in _PLURALS
        else f"{count} {_PLURALS[kind]}"
        for kind, count in differences.tally().items()
        if count
    ]
    return ", ".join(words)


def describe_merge(case: Case) -> str:
    """What a merge of a note would do, in a phrase."""
    if case.state == MERGES:
        gone = "" if case.data is not None else "; the note is gone, and gets its name back"
        return f"can be merged: nothing is in doubt{gone}"
    if case.state == NOTHING_NEW:
        return "holds nothing that the note does not: a merge removes it"
    if case.state == ASKS:
        return f"asks for {', '.join(_name(each) for each in case.asked)}"
    if case.state == REFUSED:
        return f"cannot be merged: {clean(case.refusal)}"
    return "is merged; the file must stay, since removing it would remove the note on other devices"


def _name(asked: Asked) -> str:
    if asked.is_text:
        return clean(asked.key)
    options = " or ".join(f"{clean(value)} ({label})" for label, value in asked.options)
    return f"{clean(asked.key)}: {options}"


def describe_totals(cases: Sequence[Case]) -> str:
    """``3 conflict copies of 2 notes; 1 can be merged, 1 asks``; also when there are none."""
    left = [case for case in cases if case.open]
    copies = sum(len(case.sheets) for case in left)
    marked = sum(case.marked is not None for case in left)
    if not left:
        return "No conflict copy is left to merge"
    what = [f"{copies} conflict {'copy' if copies == 1 else 'copies'}"] if copies else []
    what += [f"{format_count(marked, 'note')} with {_MARKS}"] if marked else []
    words = {
        MERGES: "can be merged",
        NOTHING_NEW: "with nothing new",
        ASKS: "to be asked about",
        REFUSED: "to mend by hand",
    }
    states = [
        f"{count} {words[state]}" for state in words if (count := sum(case.state == state for case in left))
    ]
    return f"{' and '.join(what)}; {format_count(len(left), 'note')}: {', '.join(states)}"


# Lists --------------------------------------------------------------------------------------------


def render_cases_lines(cases: Iterable[Case]) -> Iterator[str]:
    """``path:1: state note — what differs [where from]`` for each copy."""
    for case in cases:
        if case.marked is not None:
            yield _line(case.path, case, describe_counts(case.marked), _MARKS)
        for sheet in case.sheets:
            yield _line(
                sheet.copy.path, case, describe_counts(sheet.differences), describe_source(sheet.copy)
            )


def _describe_sheet(case: Case, sheet: Sheet) -> str:
    """How much differs; of copies without their note the others are compared with the first."""
    if case.data is None and sheet.label == case.sheets[0].label:
        return "stands in for the note, which is gone"
    return describe_counts(sheet.differences)


def _line(path: str, case: Case, differs: str, source: str) -> str:
    return clean(f"{path}:1: {case.state} {case.path} — {differs or 'nothing differs'} [{source}]") + "\n"


def outline_cases(cases: Sequence[Case]) -> Iterator[Row]:
    """All copies, by note, for a terminal."""
    for case in cases:
        yield 0, clean(case.path) + ("" if case.data is not None else " (gone)"), "bold"
        if case.marked is not None:
            yield 2, f"{_MARKS}: {describe_counts(case.marked) or 'nothing'} differs", ""
        for sheet in case.sheets:
            yield 2, clean(sheet.copy.path.rpartition("/")[2]), ""
            yield 4, describe_source(sheet.copy), "dim"
            yield 4, f"differs: {_describe_sheet(case, sheet) or 'nothing that is said'}", ""
        yield 2, f"→ {describe_merge(case)}", _STYLES[case.state]
        yield 0, "", ""


# One in full --------------------------------------------------------------------------------------


def outline_case(case: Case) -> Iterator[Row]:
    """A note's copies field by field and log entry by log entry, and what a merge would do, for a terminal."""
    if case.marked is not None:
        yield 0, clean(case.path), "bold"
        yield 2, _MARKS, "dim"
        yield from _outline(case.marked, ("upper", "lower"))
        yield 0, "", ""
    first = case.sheets[0].label if case.sheets else ""
    for sheet in case.sheets:
        yield 0, clean(sheet.copy.path), "bold"
        yield 2, f"copy of {clean(case.path)}{'' if case.data is not None else ', which is gone'}", ""
        yield 2, describe_source(sheet.copy), "dim"
        if case.data is not None or sheet.label != first:
            yield from _outline(sheet.differences, ("note" if case.data is not None else first, sheet.label))
        yield 0, "", ""
    yield 0, "A merge", "bold"
    yield from _outline_merge(case)


def _outline(differences: Differences, labels: tuple[str, str]) -> Iterator[Row]:
    if differences.fields:
        yield 2, "Fields", "bold"
    for field in differences.fields:
        before = f" · before: {clean(field.base)}" if field.base else ""
        yield (
            4,
            f"{clean(field.key)} · {labels[0]}: {clean(field.one)} · {labels[1]}: {clean(field.two)}{before}",
            "",
        )
    for kind, heading in _HEADINGS.items():
        said = [each for each in differences.said if each.kind == kind]
        if said:
            yield 2, heading, "bold"
        for each in said:
            yield from _outline_said(each, labels)
    if not differences.fields and not differences.said:
        yield 2, "Nothing that is said differs.", ""


def _outline_said(said: Said, labels: tuple[str, str]) -> Iterator[Row]:
    first, *rest = said.text.split("\n")
    other = labels[2 - said.side]
    known = f" (stood before; {other} has it changed or taken out)" if said.known else ""
    yield 4, f"{labels[said.side - 1]}: {clean(first)}{known if not rest else ''}", ""
    for place, line in enumerate(rest, 1):
        yield 6, f"{clean(line.strip())}{known if place == len(rest) else ''}", ""


def _outline_merge(case: Case) -> Iterator[Row]:
    if not case.based and case.state in (MERGES, ASKS) and (case.sheets or case.marked):
        yield 2, "What the versions come from is not known here, so only what is certain is merged.", "dim"
    if case.state != ASKS:
        yield (
            2,
            f"The note {describe_merge(case)}." if not case.sheets else _sentence(case),
            _STYLES[case.state],
        )
    for each in case.asked:
        yield from _outline_asked(each)
    if case.open and case.state != REFUSED:
        yield 2, f"notesync conflicts merge {render_command(case)}", ""
    if case.asked:
        yield 2, describe_answers(case), "dim"


def _sentence(case: Case) -> str:
    what = "This copy" if len(case.sheets) == 1 else f"These {len(case.sheets)} copies"
    phrase = describe_merge(case)
    if len(case.sheets) > 1:
        phrase = phrase.replace("holds", "hold").replace("removes it", "removes them")
    return f"{what} {phrase}."


def _outline_asked(asked: Asked) -> Iterator[Row]:
    if not asked.is_text:
        before = f"; before: {clean(asked.base)}" if asked.base else ""
        yield 2, f"asks for {_name(asked)}{before}", "yellow"
        return
    yield 2, f"asks for {clean(asked.key)}, a place where each has its own words:", "yellow"
    for label, text in asked.options:
        lines = list_lines(asked, text)
        yield 4, f"{label}: {lines[0].strip() if lines else '(nothing)'}", ""
        for line in lines[1:]:
            yield 6, line.strip(), ""


def list_lines(asked: Asked, text: str) -> list[str]:
    """Lines of a version that say something, cleaned; of many those that not every version has, and not too many."""
    lines = _find_lines(text)
    if len(lines) <= _SHOWN:
        return lines
    versions = [set(_find_lines(other)) for _, other in asked.options]
    shared = versions[0].intersection(*versions)
    own = [line for line in lines if line not in shared]
    shown = own[:_SHOWN]
    more = [f"(and {format_count(len(own) - _SHOWN, 'more line')})"] if len(own) > _SHOWN else []
    same = (
        [f"(and {format_count(len(lines) - len(own), 'line')} that both have)"]
        if len(own) < len(lines)
        else []
    )
    return [*shown, *more, *same]


def _find_lines(text: str) -> list[str]:
    return [clean(line) for line in _LINE.findall(text) if line.strip()]


def render_asked(case: Case) -> Iterator[str]:
    """The places in the text that a merge asks about, with what each version has there."""
    for each in case.asked:
        for indent, text, _ in _outline_asked(each) if each.is_text else ():
            yield f"{' ' * indent}{text}"


def render_command(case: Case, answers: Mapping[str, str] = MappingProxyType({})) -> str:
    """The words behind ``conflicts merge`` that would merge this note: answers given, and ``WHICH`` for the others."""
    words = [quote_path(case.path)]
    words += [f"--take {quote_path(f'{key}={word}')}" for key, word in answers.items()]
    words += [f"--take {clean(each.key)}=WHICH" for each in case.asked]
    words += [] if case.sure else ["--yes"]
    return " ".join(words)


def describe_answers(case: Case) -> str:
    """What ``WHICH`` may be in the words of :func:`render_command`; '' where nothing is asked."""
    # What several versions have come to so far is meant by any of them.
    found = list(dict.fromkeys(label.split("+")[0] for each in case.asked for label, _ in each.options))
    if any(each.is_text for each in case.asked):
        found.append("both (of a text)")
    if not all(each.is_text for each in case.asked):
        found += ["earlier or later (of days)", "the value itself"]
    return f"WHICH is {', '.join(found[:-1])} or {found[-1]}." if found else ""


def render_case_lines(case: Case) -> Iterator[str]:
    """One in full, a difference a line, for programs that read lines."""
    for indent, text, _ in outline_case(case):
        if text:
            yield f"{' ' * indent}{text}\n"


# JSON ---------------------------------------------------------------------------------------------


def render_cases_json(cases: Iterable[Case], vault: str) -> Iterator[str]:
    """All of it as one object; a copy is one item, and so is a note with marks of a merge."""
    items = (item for case in cases for item in _list_objects(case))
    return render_object([("format_version", FORMAT_VERSION), ("vault", vault), ("conflicts", items)])


def _list_objects(case: Case) -> Iterator[dict[str, object]]:
    if case.marked is not None:
        yield {"path": case.path, **_shared(case), "sure": True, "mirrored": False, "label": "upper", "tags": [],
               **_differences(case.marked)}  # fmt: skip
    for sheet in case.sheets:
        yield {
            "path": sheet.copy.path,
            **_shared(case),
            **_copy_object(sheet),
            **_differences(sheet.differences),
        }


def _shared(case: Case) -> dict[str, object]:
    return {
        "original": case.path,
        "present": case.data is not None,
        "state": case.state,
        "base_known": case.based,
        "refusal": case.refusal,
        "questions": [
            {"key": each.key, "text": each.is_text, "before": each.base, "options": dict(each.options)}
            for each in case.asked
        ],
    }


def _copy_object(sheet: Sheet) -> dict[str, object]:
    tags = [
        {"engine": tag.engine, "machine": tag.machine, "at": tag.at, "by_winner": tag.by_winner}
        for tag in sheet.copy.tags
    ]
    return {"sure": sheet.copy.sure, "mirrored": sheet.copy.mirrored, "label": sheet.label, "tags": tags}


def _differences(differences: Differences) -> dict[str, object]:
    return {
        "fields": [
            {"key": each.key, "before": each.base, "one": each.one, "two": each.two}
            for each in differences.fields
        ],
        "said": [
            {"kind": each.kind, "side": each.side, "text": each.text, "before": each.known}
            for each in differences.said
        ],
    }


# What was done ------------------------------------------------------------------------------------


def describe_done(case: Case, came: Differences) -> str:
    """One line: which note was merged with what, and what that brought."""
    names = ", ".join(clean(sheet.copy.path.rpartition("/")[2]) for sheet in case.sheets if not sheet.done)
    stays = [sheet for sheet in case.sheets if sheet.copy.mirrored]
    if case.state == NOTHING_NEW:
        return f"Removed: {names} held nothing that {clean(case.path)} does not"
    new = came._replace(said=tuple(each for each in came.said if each.side == 2))
    brought = describe_counts(new)
    what = f" with {names}" if names else f", without {_MARKS}"
    kept = "; the copy stays, since removing it would remove the note on other devices" if stays else ""
    verb = "Merged" if case.data is not None else "Merged, and back under its name"
    changed = f", which brought {brought}" if case.data is not None and brought else ""
    return f"{verb}: {clean(case.path)}{what}{changed}{kept}"


def describe_left_out(case: Case, lines: Sequence[str]) -> Iterator[str]:
    """What some version has and the merged note has not, a line each, for a person to see that it is right."""
    if lines:
        yield f"  Left out of {clean(case.path)}, since another version counts there:"
        yield from (f"    {clean(line)}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"    (and {format_count(len(lines) - _SHOWN, 'more line')})"


def describe_left(case: Case) -> str:
    """One line: which note was not merged, and why."""
    return f"{clean(case.path)}: {describe_merge(case)}"
