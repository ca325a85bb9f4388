"""A person's note, a wish, and what the note says after it: nothing else in it may change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notesync.notes.body import Entry, Task, parse_body
from notesync.notes.edit import Splice, splice_note
from notesync.notes.edit_header import Wish, set_properties
from notesync.notes.edit_log import NewEntry, add_entry
from notesync.notes.edit_tasks import add_task, close_task, move_task
from notesync.notes.escapes import escape_line, escape_words, unescape_line, unescape_words
from notesync.notes.new_note import build_note, fill_template, format_moment
from notesync.notes.note import Note, parse_note
from notesync.notes.quoting import render_value
from notesync.problems import NotesyncError, RefusedError, UsageError

ORDER = (
    "type", "id", "name", "company", "role", "address", "website", "team", "email", "phone", "aliases", "tags",
    "owner", "stage", "value", "last_contact", "next_contact", "next_action", "sold", "delivery", "lost",
    "paused_until", "do_not_contact",
)  # fmt: skip
D19, D20, D25 = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 25)
NEWLINES = ["\n", "\r\n", "\r"]
MIXED = [["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\r", "\r\n"]]
BOM = b"\xef\xbb\xbf"


def read(text: str) -> Note:
    return parse_note(text.encode(), "Clients/Anna.md")


def set_in(header: str, **wishes: Wish) -> str:
    """The header after the wishes."""
    new = set_properties(read(f"---\n{header}\n---\n\n# Anna\n"), wishes, ORDER)
    return new.text[new.header_start : new.header_end].removesuffix("\n")


def values(note: Note) -> dict[str, tuple[str, ...]]:
    return {item.name: tuple(value.text for value in item.values) for item in note.properties}


# ------------------------------------------------------------------------------------ front matter

# A header, a wish, the header after it.
HEADERS: dict[str, tuple[str, dict[str, Wish], str]] = {
    "a value in its place": ("name: Anna\nstage: lead", {"name": "Ben"}, "name: Ben\nstage: lead"),
    "a comment behind the value": ("stage: lead # since May", {"stage": "customer"}, "stage: customer # since May"),
    "a comment behind no value": ("sold: # never", {"sold": "2026-11-25"}, "sold: 2026-11-25 # never"),
    "trailing blanks": ("stage: lead  \nname: A", {"stage": "customer"}, "stage: customer  \nname: A"),
    "an empty value": ("sold:\nname: A", {"sold": "2026-11-25"}, "sold: 2026-11-25\nname: A"),
    "an empty value with its blank": ("sold: ", {"sold": "2026-11-25"}, "sold: 2026-11-25"),
    "null": ("sold: null # x", {"sold": "2026-11-25"}, "sold: 2026-11-25 # x"),
    "an empty text": ("sold: ''", {"sold": "2026-11-25"}, "sold: '2026-11-25'"),
    "double quotes stay": ('name: "Anna"', {"name": 'Ben "Big" B'}, r'name: "Ben \"Big\" B"'),
    "single quotes stay": ("name: 'Anna'", {"name": "O'Brien"}, "name: 'O''Brien'"),
    "a quoted date stays quoted": ('sold: "2026-11-20"', {"sold": "2026-11-25"}, 'sold: "2026-11-25"'),
    "a linked day stays a link": ('sold: "[[2026-11-20]]"', {"sold": "2026-11-25"}, 'sold: "[[2026-11-25]]"'),
    "an unquoted link": ("company: [[Acme]]", {"company": "Acme: Ltd"}, 'company: "Acme: Ltd"'),
    "a value on the next line": ("name:\n  Anna", {"name": "Ben"}, "name:\n  Ben"),
    "words over two lines": ("role: head\n  of sales\nname: A", {"role": "boss"}, "role: boss\nname: A"),
    "a block of words": ("address: |\n  High St\n  Bath\n\nname: A", {"address": "Bath"}, "address: Bath\n\nname: A"),
    "a checkbox": ("do_not_contact:", {"do_not_contact": True}, "do_not_contact: true"),
    "a quoted key": ('"stage": lead', {"stage": "customer"}, '"stage": customer'),
    "a key spelled otherwise": ("Next Contact: 2026-11-20", {"next_contact": "2026-11-25"}, "Next Contact: 2026-11-25"),
    "a list of one is its item": ("owner: [Anna]", {"owner": "Ben"}, "owner: [Ben]"),
    "a list in brackets": ("tags: [a,  'b']", {"tags": ["a", "b", "c, d"]}, "tags: [a,  'b',  'c, d']"),
    "brackets over lines": ("tags: [\n  a,\n  b\n]", {"tags": ["a", "b", "c"]}, "tags: [\n  a,\n  b,\n  c\n]"),
    "an item leaves its brackets": ("tags: [a, b, c]", {"tags": ["a", "c"]}, "tags: [a, c]"),
    "all items leave their brackets": ("tags: [a, b,]", {"tags": []}, "tags: []"),
    "a list with dashes": ("tags:\n  - a\n  - b", {"tags": ["a", "x", "b"]}, "tags:\n  - a\n  - x\n  - b"),
    "dashes at the key's column": ("tags:\n- a\nname: A", {"tags": ["a", "b"]}, "tags:\n- a\n- b\nname: A"),
    "quoted items": ('tags:\n    - "a"', {"tags": ["z", "a"]}, 'tags:\n    - "z"\n    - "a"'),
    "comments among items": ("tags:\n- a # x\n# y\n- b\n- c", {"tags": ["a", "c"]}, "tags:\n- a # x\n# y\n- c"),
    "all items leave": ("tags:\n  - a\n  - b\nname: A", {"tags": []}, "tags:\nname: A"),
    "empty brackets": ("tags: []", {"tags": ["a", "b"]}, "tags: [a, b]"),
    "an empty item": ("tags:\n  - \nname: A", {"tags": ["a", "b"]}, "tags:\n  - a\n  - b\nname: A"),
    "a list where there was none": ("team:\n- x\ntags:", {"tags": ["a"]}, "team:\n- x\ntags:\n- a"),
    "a list for null": ("team:\n- x\ntags: null", {"tags": ["a"]}, "team:\n- x\ntags:\n- a"),
    "a list for null, in brackets": ("team: [x]\ntags: ~ # c", {"tags": ["a"]}, "team: [x]\ntags: [a] # c"),
    "a new list, in brackets": ("team: [x]", {"tags": ["a"]}, "team: [x]\ntags: [a]"),
    "in front of the first": ("tags: [b]", {"tags": ["a", "b"]}, "tags: [a, b]"),
    "one for an empty item": ("tags:\n  - # c", {"tags": ["a"]}, "tags:\n  - a # c"),
    "a checkbox that was text": ("do_not_contact: 'no'", {"do_not_contact": True}, "do_not_contact: true"),
    "a list, as others are": ("team: [x]\ntags:", {"tags": ["a"]}, "team: [x]\ntags: [a]"),
    "a list where a value was": ("tags: a", {"tags": ["a", "b"]}, "tags: [a, b]"),
    "a value leaves": ("sold: 2026-11-20 # x\nname: A", {"sold": None}, "sold: # x\nname: A"),
    "no value leaves no key": ("name: A", {"sold": None, "tags": []}, "name: A"),
    "a new key beside its relatives": (
        "type: client\nlast_contact: 2026-11-20\n\nx: y",
        {"next_contact": "2026-11-25"},
        "type: client\nlast_contact: 2026-11-20\nnext_contact: 2026-11-25\n\nx: y",
    ),
    "before what comes later": (
        "x: y\n# what next\nnext_action: call",
        {"next_contact": "2026-11-25", "type": "client"},
        "x: y\ntype: client\nnext_contact: 2026-11-25\n# what next\nnext_action: call",
    ),
    "the nearer relative": (
        "type: client\nx: y\nnext_action: call",
        {"next_contact": "2026-11-25"},
        "type: client\nx: y\nnext_contact: 2026-11-25\nnext_action: call",
    ),
    "behind a list": ("type: client\nteam:\n- a", {"email": "a@b"}, "type: client\nteam:\n- a\nemail: a@b"),
    "a key that nobody knows": ("type: client\n# end", {"shoe size": "42"}, "type: client\nshoe size: 42\n# end"),
    "several, in the order": (
        "type: client",
        {"delivery": "unknown", "sold": "2026-11-25", "value": "120000"},
        "type: client\nvalue: 120000\nsold: 2026-11-25\ndelivery: unknown",
    ),
    "a new list": ("type: client", {"tags": ["a", "b"]}, "type: client\ntags:\n  - a\n  - b"),
    "below a text that keeps its blank lines": (
        "name: |+\n  A\n\ntype: client", {"company": "B"}, "name: |+\n  A\n\ncompany: B\ntype: client",
    ),
    "an indented header": ("  type: client", {"name": "A"}, "  type: client\n  name: A"),
    "only a comment": ("# about her", {"name": "A"}, "# about her\nname: A"),
    "no key at all": ("", {"name": "A"}, "\nname: A"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_keys_are_set_where_they_stand(name: str) -> None:
    header, wishes, expected = HEADERS[name]
    assert set_in(header, **wishes) == expected


@pytest.mark.parametrize("newline", NEWLINES)
@pytest.mark.parametrize("name", HEADERS)
def test_keys_are_set_with_any_line_end(name: str, newline: str) -> None:
    header, wishes, expected = (
        part.replace("\n", newline) if isinstance(part, str) else part for part in HEADERS[name]
    )
    text = f"---{newline}{header}{newline}---"
    note = parse_note(BOM + text.encode(), "a.md")
    new = set_properties(note, wishes, ORDER)
    assert new.data == BOM + f"---{newline}{expected}{newline}---".encode()
    assert set_properties(new, wishes, ORDER) is new


# Whatever the reader: ours, Obsidian's (YAML 1.2) or a script's (YAML 1.1).
QUOTED = {
    "Anna": "Anna", "2026-11-25": "2026-11-25", "2026-11-25T14:30": "2026-11-25T14:30", "120000": "120000",
    "1.5": "1.5", "09:30": "09:30", "14:30": '"14:30"', "0712345670": '"0712345670"', "+27": '"+27"',
    "2026-02-30": '"2026-02-30"', "1e3": '"1e3"', "12.50": '"12.50"', "12345678901234567": '"12345678901234567"',
    "NO": '"NO"', "true": '"true"', "Null": '"Null"', "~": '"~"', "~5 days": "~5 days", "-5": "-5",
    "a: b": '"a: b"', "a:b": "a:b", "a:": '"a:"', "a #b": '"a #b"', "#a": '"#a"', "a#b": "a#b", "- a": '"- a"',
    "-a": "-a", "@anna": '"@anna"', "[[Acme]]": '"[[Acme]]"', " a": '" a"', 'say "hi"': 'say "hi"',
    '"hi" she said': "'\"hi\" she said'", "C:\\new": "C:\\new", "*a": '"*a"', "a, b": "a, b", "🦊 שלום": "🦊 שלום",
    "a\nb": r'"a\nb"', "{{x}}": r'"{\x7bx}}"', "a <% b": r'"a <\x25 b"', "a\u2028b": r'"a\u2028b"', "'a'": "\"'a'\"",
    "https://a.b/c?d=e": "https://a.b/c?d=e", "50 %": "50 %", "%": '"%"', "---": "---", "a\tb": r'"a\tb"',
}  # fmt: skip


@pytest.mark.parametrize("text", QUOTED)
def test_a_value_is_quoted_only_where_a_reader_would_err(text: str) -> None:
    assert render_value(text) == QUOTED[text]


value_texts = st.one_of(
    st.sampled_from(sorted(QUOTED)),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12),
    st.lists(st.sampled_from([*"aB1 :#-'\"\\[]{},&*!|>%@`?~<=\n\t.", "{{", "<%", "no", "é", "\x85"]), max_size=8).map(
        "".join,
    ),
).filter(str.strip)  # fmt: skip


@given(value_texts, st.sampled_from(["", "'", '"']), st.booleans())
@settings(max_examples=500, deadline=None)
def test_every_reader_gets_the_text_that_was_meant(text: str, quote: str, in_brackets: bool) -> None:
    rendered = render_value(text, quote, in_brackets)
    line = f"key: [{rendered}, z]" if in_brackets else f"key: {rendered}"
    found = read(f"---\n{line}\n---\n").get("key")
    assert found is not None
    assert found.values[0].text == text
    loaded = yaml.safe_load(line)["key"]
    loaded = loaded[0] if in_brackets else loaded
    if not isinstance(loaded, str):
        assert re.fullmatch(r"[0-9T:.+Z -]+", text)  # a day, or a number that prints the same again
        assert isinstance(loaded, date) or str(loaded) == text
    else:
        assert loaded == text


REFUSED_HEADERS: dict[str, tuple[str, dict[str, Wish], str, str]] = {
    "a value that YAML cannot read": ("---\ntitle: A: b\n---\n", {"sold": "x"}, "bad-yaml", "a.md:2"),
    "no closing line": ("---\ntype: client\n\n# A\n", {"sold": "x"}, "unclosed-front-matter", "a.md:1"),
    "a conflict": (
        "---\ntype: client\n<<<<<<< a\nname: A\n=======\nname: B\n>>>>>>> b\n---\n", {"sold": "x"}, "merge-marker",
        "a.md:3",
    ),
    "JSON": ('---\n{"type": "client"}\n---\n', {"sold": "x"}, "json-front-matter", "a.md:2"),
    "the key stands twice": ("---\nsold: 1\nSold: 2\n---\n", {"sold": "x"}, "duplicate-key", "lines 2 and 3"),
    "a map": ("---\nsold: {a: b}\n---\n", {"sold": "x"}, "nested-value", "a.md:2"),
    "words": ("---\njust words\n---\n", {"sold": "x"}, "not-properties", "a.md:2"),
    "a template": ("---\nname: {{title}}\n---\n", {"sold": "x"}, "template", "a.md:2"),
    "no front matter": ("# A\n", {"sold": "x"}, "no-front-matter", "a.md:1"),
    "damage": ("---\nname: \0\n---\n", {"sold": "x"}, "nul-characters", "a.md:2"),
    "a comment inside the value": ("---\nname: | # x\n  A\n---\n", {"name": "x"}, "unsafe-edit", "a.md:2"),
    "a key on a line of its own": ("---\n? name\n: A\nx: y\n---\n", {"name": "x"}, "unsafe-edit", "a.md:2"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_HEADERS)
def test_front_matter_that_cannot_be_changed_safely_is_left_as_it_is(name: str) -> None:
    text, wishes, code, place = REFUSED_HEADERS[name]
    with pytest.raises(RefusedError, match=f"^{code}: .*{re.escape(place)}.*\\.$"):
        set_properties(parse_note(text.encode(), "a.md"), wishes, ORDER)


def test_a_key_that_stands_twice_does_not_keep_others_from_being_set() -> None:
    assert set_in("x: 1\nx: 2\nsold:", sold="2026-11-25") == "x: 1\nx: 2\nsold: 2026-11-25"


@pytest.mark.parametrize("newline", NEWLINES)
def test_a_note_gets_front_matter_only_where_that_is_asked(newline: str) -> None:
    note = read(f"# Anna{newline}")
    new = set_properties(note, {"type": "client"}, ORDER, create=True)
    assert new.text == newline.join(["---", "type: client", "---", "# Anna", ""])
    assert set_properties(read(""), {"type": "client"}, ORDER, create=True).text == "---\ntype: client\n---\n"
    assert set_properties(note, {"sold": None}, ORDER) is note


def test_bytes_that_are_no_utf_8_stay_as_they_are() -> None:
    data = b"---\nname: Andr\xe9\n---\n# Andr\xe9\xc3\n"
    assert set_properties(parse_note(data, "a.md"), {"stage": "lead"}, ORDER).data == data.replace(
        b"\n---\n#", b"\nstage: lead\n---\n#"
    )
    wide = b"\xff\xfe" + "---\nname: Åsa\n---\n".encode("utf-16-le")
    new = set_properties(parse_note(wide, "a.md"), {"name": "Bo"}, ORDER)
    assert new.data == b"\xff\xfe" + "---\nname: Bo\n---\n".encode("utf-16-le")


def test_two_halves_of_a_character_never_meet() -> None:
    """What stands between two bytes that would be one character is not taken out."""
    with pytest.raises(RefusedError, match=r"^odd-bytes: a\.md:1 "):
        splice_note(parse_note(b"\xc3 \xa9", "a.md"), [Splice(1, 2, "")])


def test_words_that_no_note_can_hold_are_refused() -> None:
    with pytest.raises(UsageError, match="unwritable-text"):
        set_in("type: client", name="a\0b")
    with pytest.raises(UsageError, match="unwritable-text"):
        add_entry(read("# A\n"), NewEntry(D25, text="a\udcffb"))


header_lines = st.lists(
    st.sampled_from(
        [
            "type: client", "name: Anna", "next_contact: 2026-11-25 # c", "sold:", "lost: # c", "phone: '071'",
            'email: "a@b"  ', "tags: [a, 'b', \"c\"]", "tags:\n  - a\n  - b # x\n\n  - c", "tags:\n- a\n# c\n- b",
            "aliases: []", "aliases:\n  - \n  -", "team: [[Ben]]", "team: [\n  a,\n  b\n]", "x: {a: b}",
            "address: |\n  High\n  Bath", "role: head\n  of x", "# comment", "", "owner: null", "delivery: ''",
            '"value": 5', "Next Action: x", "website: >-\n  a\n\n  b", "source:\n  words", "y: |+\n  a\n\n",
            "stage:\tlead", "last_contact: \"[[2026-11-20]]\"", "owner: [a, b,]",
        ]
    ),
    max_size=7, unique_by=lambda line: line.partition(":")[0],
)  # fmt: skip
wishes = st.dictionaries(
    st.sampled_from(ORDER), st.one_of(st.none(), st.booleans(), value_texts, st.lists(value_texts, max_size=4)),
    max_size=3
)  # fmt: skip


@given(
    header_lines,
    wishes,
    st.sampled_from(MIXED),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_only_the_wished_keys_change(
    lines: list[str], wanted: dict[str, Wish], ends: list[str], bom: bool, body: bool
) -> None:
    header = "\n".join(["---", *lines, "---", *(["", "- [ ] x", ""] if body else [])])
    text = "".join(
        line + ends[at % len(ends)] if at < header.count("\n") else line
        for at, line in enumerate(header.split("\n"))
    )
    note = parse_note(BOM * bom + text.encode(), "a.md")
    try:
        new = set_properties(note, wanted, ORDER)
    except NotesyncError:
        return
    assert new.bom == note.bom
    before, after = values(note), values(new)
    for name, wish in wanted.items():
        expected = tuple(wish) if isinstance(wish, list) else (str(wish),) if wish else ()
        expected = ("true" if wish else "false",) if isinstance(wish, bool) else expected
        assert after.pop(name, ()) in (expected, tuple(f"[[{text}]]" for text in expected))
        before.pop(name, None)
    assert after == before
    kept = [
        line for line in lines if line.partition(":")[0].strip('"').lower().replace(" ", "_") not in wanted
    ]
    for line in kept:
        assert line in re.sub("\r\n|\r", "\n", new.text)
    assert set_properties(new, wanted, ORDER) is new


# ------------------------------------------------------------------------------------------- the log


def log(body: str, *entry: Any, **more: Any) -> str:
    note = read(f"---\ntype: client\n---\n{body}")
    return add_entry(note, NewEntry(*entry, **more)).text.removeprefix("---\ntype: client\n---\n")


# A log; what it is after a call of 19 November, 10:00, is logged.
LOGS = {
    "newest first": (
        "## Log\n- 2026-11-20 visit: a\n- 2026-11-10 call: b\n",
        "## Log\n- 2026-11-20 visit: a\n- 2026-11-19 10:00 call: x\n- 2026-11-10 call: b\n",
    ),
    "newest last": (
        "## Log\n- 2026-11-10 call: b\n- 2026-11-20 visit: a\n",
        "## Log\n- 2026-11-10 call: b\n- 2026-11-19 10:00 call: x\n- 2026-11-20 visit: a\n",
    ),
    "one entry": ("## Log\n- 2026-11-10 call\n", "## Log\n- 2026-11-19 10:00 call: x\n- 2026-11-10 call\n"),
    "no entry": ("## Log\n\n## Next\n", "## Log\n- 2026-11-19 10:00 call: x\n\n## Next\n"),
    "no line end": ("## Log", "## Log\n- 2026-11-19 10:00 call: x"),
    "the oldest": (
        "## Log\n- 2026-11-21 call\n- 2026-11-20 call\n  more\n\nEnd.",
        "## Log\n- 2026-11-21 call\n- 2026-11-20 call\n  more\n- 2026-11-19 10:00 call: x\n\nEnd.",
    ),
    "no line end below the oldest": (
        "## Log\n- 2026-11-20 call", "## Log\n- 2026-11-20 call\n- 2026-11-19 10:00 call: x",
    ),
    "hours of one day": (
        "## Log\n- 2026-11-19 11:00 call\n- 2026-11-19 09:00 call\n",
        "## Log\n- 2026-11-19 11:00 call\n- 2026-11-19 10:00 call: x\n- 2026-11-19 09:00 call\n",
    ),
    "no log": ("# Anna\n", "# Anna\n\n## Log\n- 2026-11-19 10:00 call: x\n"),
    "no log and no line end": ("# Anna", "# Anna\n\n## Log\n- 2026-11-19 10:00 call: x"),
    "no log and blank lines": ("# Anna\n\n\n", "# Anna\n\n\n## Log\n- 2026-11-19 10:00 call: x\n"),
    "no body": ("", "\n## Log\n- 2026-11-19 10:00 call: x\n"),
    "a plus": ("## Log\n+ 2026-11-10 call\n", "## Log\n+ 2026-11-19 10:00 call: x\n+ 2026-11-10 call\n"),
    "an indent": (
        "## Log\n- November\n\t* 2026-11-10 call\n",
        "## Log\n- November\n\t* 2026-11-19 10:00 call: x\n\t* 2026-11-10 call\n",
    ),
    "numbers": (
        "## Log\n1. 2026-11-10 call\n2. 2026-11-11 call\n",
        "## Log\n1. 2026-11-10 call\n2. 2026-11-11 call\n3. 2026-11-19 10:00 call: x\n",
    ),
    "a callout": (
        "## Log\n> [!note] Calls\n> - 2026-11-10 call\n>   more\n",
        "## Log\n> [!note] Calls\n> - 2026-11-19 10:00 call: x\n> - 2026-11-10 call\n>   more\n",
    ),
    "linked days": (
        "## Log\n- [[2026-11-10]] call\n", "## Log\n- [[2026-11-19]] 10:00 call: x\n- [[2026-11-10]] call\n",
    ),
    "bold days": ("## Log\n- **2026-11-10** call\n", "## Log\n- **2026-11-19** 10:00 call: x\n- **2026-11-10** call\n"),
    "a ticked box": ("## Log\n- [x] 2026-11-10 call\n", "## Log\n- 2026-11-19 10:00 call: x\n- [x] 2026-11-10 call\n"),
    "blank lines between": (
        "## Log\n\n- 2026-11-20 call\n\n- 2026-11-10 call\n",
        "## Log\n\n- 2026-11-20 call\n\n- 2026-11-19 10:00 call: x\n\n- 2026-11-10 call\n",
    ),
    "a code block below an entry": (
        "## Log\n- 2026-11-10 call\n- 2026-11-18 call\n  ```\n  - 2026-11-30 call\n  ```\n\n```\nx\n```\n",
        "## Log\n- 2026-11-10 call\n- 2026-11-18 call\n  ```\n  - 2026-11-30 call\n  ```\n"
        "- 2026-11-19 10:00 call: x\n\n```\nx\n```\n",
    ),
    "a comment": (
        "## Log\n%% newest first %%\n- 2026-11-10 call\n",
        "## Log\n%% newest first %%\n- 2026-11-19 10:00 call: x\n- 2026-11-10 call\n",
    ),
    "words and no entry": ("## Log\nAll calls.\n", "## Log\nAll calls.\n\n- 2026-11-19 10:00 call: x\n"),
    "an open code block and no entry": ("## Log\n```\nx\n", "## Log\n- 2026-11-19 10:00 call: x\n\n```\nx\n"),
    "a second log": (
        "## Log\n- 2026-11-18 call\n- 2026-11-17 call\n## Other\n## Log\n- 2026-01-01 call\n",
        "## Log\n- 2026-11-19 10:00 call: x\n- 2026-11-18 call\n- 2026-11-17 call\n## Other\n## Log\n"
        "- 2026-01-01 call\n",
    ),
    "an empty log above the one that is used": (
        "## Log\n## Other\n## Log\n- 2026-01-01 call\n",
        "## Log\n## Other\n## Log\n- 2026-11-19 10:00 call: x\n- 2026-01-01 call\n",
    ),
    "months' headings": (
        "## Log\n### December\n- 2026-12-01 call\n### November\n- 2026-11-10 call\n",
        "## Log\n### December\n- 2026-12-01 call\n### November\n- 2026-11-19 10:00 call: x\n- 2026-11-10 call\n",
    ),
    "dated headings": (
        "## Log\n### 2026-11-10 call\nwords\n\n### 2026-11-09 visit\nwords\n",
        "## Log\n### 2026-11-19 10:00 call: x\n\n### 2026-11-10 call\nwords\n\n### 2026-11-09 visit\nwords\n",
    ),
    "lines without a dash": (
        "## Log\n2026-11-10 call\n2026-11-09 call\n",
        "## Log\n- 2026-11-19 10:00 call: x\n\n2026-11-10 call\n2026-11-09 call\n",
    ),
    "tasks below an entry keep its day": (
        "## Log\n- 2026-11-10 call\n- 2026-11-11 call\n- [ ] #promise\n",
        "## Log\n- 2026-11-10 call\n- 2026-11-11 call\n- [ ] #promise\n- 2026-11-19 10:00 call: x\n",
    ),
    "a log in a code block is none": (
        "```\n## Log\n```\n", "```\n## Log\n```\n\n## Log\n- 2026-11-19 10:00 call: x\n",
    ),
    "U+2028 ends no line": (
        "## Log\n- 2026-11-10 a\u2028b\n", "## Log\n- 2026-11-19 10:00 call: x\n- 2026-11-10 a\u2028b\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_an_entry_goes_where_the_log_wants_it(name: str) -> None:
    before, after = LOGS[name]
    assert log(before, D19, 600, "call", "", "x") == after


@pytest.mark.parametrize("newline", NEWLINES)
@pytest.mark.parametrize("name", LOGS)
def test_an_entry_takes_the_line_ends_around_it(name: str, newline: str) -> None:
    before, after = (text.replace("\n", newline) for text in LOGS[name])
    start = BOM + f"---{newline}type: client{newline}---{newline}".encode()
    new = add_entry(parse_note(start + before.encode(), "a.md"), NewEntry(D19, 600, "call", "", "x"))
    assert new.data == start + after.encode()


def test_line_ends_that_differ_follow_the_line_above() -> None:
    note = read("---\ntype: client\n---\n## Log\r\n- 2026-11-10 call\n")
    assert add_entry(note, NewEntry(D19, text="x")).text == (
        "---\ntype: client\n---\n## Log\r\n- 2026-11-19 x\r\n- 2026-11-10 call\n"
    )


def test_nothing_behind_the_closing_line_not_even_its_end() -> None:
    assert add_entry(read("---\ntype: client\n---"), NewEntry(D19, text="x")).text == (
        "---\ntype: client\n---\n\n## Log\n- 2026-11-19 x"
    )


def test_another_name_of_the_log() -> None:
    note = read("# Anna\n")
    assert add_entry(note, NewEntry(D19, text="x"), ("Contacts", "Log")).text.endswith(
        "\n## Contacts\n- 2026-11-19 x\n"
    )


def test_a_broken_header_keeps_nobody_from_logging() -> None:
    text = "---\ntitle: A: b\nsold: [\n---\n## Log\n"
    assert add_entry(read(text), NewEntry(D19, text="x")).text == f"{text}- 2026-11-19 x\n"


# What is logged: minute, channel, outcome, text; the lines written; what is read of them, if not the text.
WORDS: dict[str, tuple[tuple[Any, ...], str]] = {
    "words": ((None, "", "", "all well"), "- 2026-11-19 all well"),
    "words with their channel": ((None, "", "", "called about it"), "- 2026-11-19 called about it"),
    "a channel as it is said": ((None, "WhatsApp", "", "sent it"), "- 2026-11-19 WhatsApp: sent it"),
    "an outcome": ((870, "call", "no answer", "reception"), "- 2026-11-19 14:30 call (no answer): reception"),
    "an outcome alone": ((None, "", "happy", ""), "- 2026-11-19 (happy):"),
    "nothing": ((None, "", "", ""), "- 2026-11-19"),
    "a channel alone": ((5, "call", "", ""), "- 2026-11-19 00:05 call"),
    "words that begin with an hour": ((None, "", "", "14:30 they come"), "- 2026-11-19: 14:30 they come"),
    "words that begin with a dash": ((None, "", "", "- x"), "- 2026-11-19: - x"),
    "words that begin with a date": ((None, "", "", "2026-12-01 it is"), "- 2026-11-19 2026-12-01 it is"),
    "words in italics": ((600, "call", "", "*yes*"), "- 2026-11-19 10:00 call: *yes*"),
    "a percentage": ((600, "call", "", "-5 % off"), "- 2026-11-19 10:00 call: -5 % off"),
    "an outcome's look": ((None, "call", "", "(well) done"), "- 2026-11-19 call: (well) done"),
    "tags and fields": (
        (None, "call", "", "#sold [delivery:: 2026-12-01] 📅 2026-12-02"),
        "- 2026-11-19 call: #sold [delivery:: 2026-12-01] 📅 2026-12-02",
    ),
    "right to left": ((None, "call", "", "שלום 🦊"), "- 2026-11-19 call: שלום 🦊"),
    "a comment's sign": ((None, "call", "", "100%% and <!-- b"), r"- 2026-11-19 call: 100%\% and <\!-- b"),
    "a comment's sign in code": ((None, "call", "", "`%%` x"), "- 2026-11-19 call: `%%` x"),
    "an escaped sign": ((None, "call", "", r"a %\% b"), r"- 2026-11-19 call: a %\\% b"),
    "a path": ((None, "call", "", r"C:\new\_x"), r"- 2026-11-19 call: C:\new\_x"),
    "lines": ((None, "call", "", "a\nb\r\n\r\n  c  "), "- 2026-11-19 call: a\n  b\n\n    c"),
    "lines with a date": (
        (None, "call", "", "a\n2026-11-18 b\n- 2026-11-17 c"), "- 2026-11-19 call: a\n  2026-11-18 b\n  - 2026-11-17 c",
    ),
    "a list": ((None, "call", "", "a\n- b\n  - c"), "- 2026-11-19 call: a\n  - b\n    - c"),
    "a heading": ((None, "call", "", "a\n# b\n#c"), "- 2026-11-19 call: a\n  \\# b\n  #c"),
    "a quote": ((None, "call", "", "a\n> b"), "- 2026-11-19 call: a\n  \\> b"),
    "a rule": ((None, "call", "", "a\n---\n==="), "- 2026-11-19 call: a\n  \\---\n  \\==="),
    "a task": ((None, "call", "", "a\n- [ ] b\n1. [x] c"), "- 2026-11-19 call: a\n  \\- [ ] b\n  1\\. [x] c"),
    "code": ((None, "call", "", "a\n```\nb\n```"), "- 2026-11-19 call: a\n  \\```\n  b\n  \\```"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_words_go_in_as_words(name: str) -> None:
    (minute, channel, outcome, text), lines = WORDS[name]
    assert log("## Log\n", D19, minute, channel, outcome, text) == f"## Log\n{lines}\n"
    (entry,) = parse_body(read(f"## Log\n{lines}\n")).entries
    assert (entry.day, entry.minute, entry.outcome) == (D19, minute, outcome)
    said = "\n".join(line.strip() for line in re.split("\r\n|\n", text) if line.strip())
    assert entry.text == said


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (NewEntry(D19, channel="pigeon"), "unknown-channel"),
        (NewEntry(D19, outcome="a (b)"), "bad-outcome"),
        (NewEntry(D19, outcome="a\nb"), "bad-outcome"),
        (NewEntry(D19, text="\0"), "unwritable-text"),
    ],
)
def test_an_entry_that_no_log_can_hold_is_refused(entry: NewEntry, code: str) -> None:
    with pytest.raises(UsageError, match=f"^{code}: "):
        add_entry(read("## Log\n"), entry)


REFUSED_LOGS = {
    "an open code block": ("```\nx\n", "unclosed-code", "a.md:1"),
    "a log that is read to its limit": (
        # long entries first, for there is much to read of many short ones
        "# Log\n" + f"- 2026-11-01 call: {'words ' * 500}\n" * 325 + "- 2026-11-01 call: abc\n" * 1_000,
        "log-too-long",
        "a.md:1",
    ),
    "a conflict": ("## Log\n<<<<<<< a\n- 2026-11-01 x\n=======\n>>>>>>> b\n", "merge-marker", "a.md:2"),
    "damage": ("## Log\n\0\n", "nul-characters", "a.md:2"),
}


@pytest.mark.parametrize("name", REFUSED_LOGS)
def test_a_note_that_cannot_take_an_entry_is_left_as_it_is(name: str) -> None:
    text, code, place = REFUSED_LOGS[name]
    with pytest.raises(RefusedError, match=f"^{code}: {place} .*\\.$"):
        add_entry(parse_note(text.encode(), "a.md"), NewEntry(D19, text="x"))


awkward_lines = st.lists(
    st.sampled_from(
        [
            "## Log", "## Log", "- 2026-11-20 call: a", "- 2026-11-10 call: b", "* 2026-11-30 x", "  more", "  - sub",
            "- [ ] task 📅 2026-11-25", "  - [ ] sub task", "", "```", "%% c %%", "<!-- c -->", "words",
            "### November", "## Other", "> - 2026-11-21 call", "> [!note] x", "### 2026-11-22 visit",
            "2026-11-18 dashless", "1. 2026-11-19 x", "- **2026-11-17** b", "- [[2026-11-16]] c", "- undated", "---",
            "\t- 2026-11-15 t", "%%", "<!--", "-->", "  ```", "- 2026-02-30 x", "a -->", "caf\udce9",
        ]
    ),
    max_size=8,
)  # fmt: skip
said_words = st.lists(
    st.sampled_from(
        [
            "a", "\n", "\n\n", " ", "- [ ] x", "# h", "```", "%%", "<!--", "-->", "2026-11-20", "14:30", "(x)", "call:",
            "*b*", "**", "- ", "> q", "\\", "#tag", "[x]", "[[L]]", "[due:: 2026-11-25]", "📅 2026-12-01", "שלום", "`",
            "- 2026-11-19 call", "===", "---", "\t", "::", ":", "1. [x] y", "\u2028", "\r\n", "–",
        ]
    ),
    max_size=7,
).map("".join)  # fmt: skip


def forget(entries: Sequence[Entry]) -> list[Entry]:
    return [entry._replace(line=0, column=0) for entry in entries]


@given(
    awkward_lines,
    st.sampled_from(MIXED),
    st.sampled_from(["", "---\ntype: client\n---\n", "---\na: b: c\n---\n"]),
    st.booleans(),
    st.booleans(),
    st.dates(date(2026, 11, 1), date(2026, 11, 30)),
    st.sampled_from([None, 600]),
    said_words,
)
@settings(max_examples=500, deadline=None)
@example(["## Log", "- 2026-11-20 a"], ["\r\n"], "", True, False, D19, None, "%%\n- ```a")
@example(["<!--", "## Log"], ["\n"], "", False, True, D19, 600, "-->")
def test_an_entry_changes_nothing_but_itself(
    lines: list[str],
    ends: list[str],
    header: str,
    bom: bool,
    open_end: bool,
    day: date,
    minute: int | None,
    text: str,
) -> None:
    body = "".join(line + ends[at % len(ends)] for at, line in enumerate(lines))
    body = body.rstrip("\r\n") if open_end else body
    data = BOM * bom + (header.replace("\n", ends[0]) + body).encode("utf-8", "surrogateescape")
    note = parse_note(data, "a.md")
    try:
        new = add_entry(note, NewEntry(day, minute, "call", "well", text))
    except RefusedError:
        return
    start = next(
        (at for at, (old, now) in enumerate(zip(data, new.data, strict=False)) if old != now), len(data)
    )
    size = len(new.data) - len(data)
    assert any(data[:at] + new.data[at : at + size] + data[at:] == new.data for at in range(start + 1))
    before, after = (forget(parse_body(each).entries) for each in (note, new))
    added = next(entry for entry in after if after.count(entry) > before.count(entry))
    after.remove(added)
    assert after == before
    said = "\n".join(line.strip() for line in re.split("\r\n|\r|\n", text) if line.strip())
    assert (added.day, added.minute, added.channel, added.outcome) == (day, minute, "call", "well")
    assert added.text == said
    old_tasks, new_tasks = (parse_body(each).tasks for each in (note, new))
    assert [task._replace(line=0) for task in new_tasks] == [task._replace(line=0) for task in old_tasks]


@given(said_words, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_backslash_that_was_put_in_is_taken_out_again(text: str, everywhere: bool) -> None:
    line = re.sub("[\r\n]", "", text)
    assert unescape_words(escape_words(line, everywhere)) == line
    assert unescape_line(escape_line(line, everywhere)) == line


# ------------------------------------------------------------------------------------------- tasks


def find_task(text: str) -> tuple[Note, Task]:
    note = read(text)
    return note, next(task for task in parse_body(note).tasks if task.open)


# A task; the task done on 25 November; the task moved to that day.
TASKS = {
    "- [ ] a 📅 2026-11-20": ("- [x] a 📅 2026-11-20 ✅ 2026-11-25", "- [ ] a 📅 2026-11-25"),
    "- [ ] a": ("- [x] a ✅ 2026-11-25", "- [ ] a 📅 2026-11-25"),
    "* [/] a ⏳ 2026-11-20  ": ("* [x] a ⏳ 2026-11-20 ✅ 2026-11-25  ", "* [/] a ⏳ 2026-11-25  "),
    "- [ ] a 📅 2026-11-20 #money": ("- [x] a 📅 2026-11-20 #money ✅ 2026-11-25", "- [ ] a 📅 2026-11-25 #money"),
    "- [ ] a 📅 2026-11-20 ^id-1": ("- [x] a 📅 2026-11-20 ✅ 2026-11-25 ^id-1", "- [ ] a 📅 2026-11-25 ^id-1"),
    "- [ ] a  [due:: 2026-11-20]": (
        "- [x] a  [due:: 2026-11-20]  [completion:: 2026-11-25]", "- [ ] a  [due:: 2026-11-25]",
    ),
    "- [ ] a (due::2026-11-20) ^b": (
        "- [x] a (due::2026-11-20)  (completion:: 2026-11-25) ^b", "- [ ] a (due::2026-11-25) ^b",
    ),
    "> 1. [ ] a 📆\ufe0f2026-11-20": ("> 1. [x] a 📆\ufe0f2026-11-20 ✅ 2026-11-25", "> 1. [ ] a 📆\ufe0f2026-11-25"),
    "- [ ] a 📅 2026-11-20 (late)": ("- [x] a 📅 2026-11-20 (late) ✅ 2026-11-25", "- [ ] a 📅 2026-11-25 (late)"),
    "- [ ] a 📅 [[2026-11-20]]": ("- [x] a 📅 [[2026-11-20]] ✅ 2026-11-25", "- [ ] a 📅 [[2026-11-25]]"),
    "- [ ] ✅ lists `📅 2026-11-20`": (
        "- [x] ✅ lists `📅 2026-11-20` ✅ 2026-11-25", "- [ ] ✅ lists `📅 2026-11-20` 📅 2026-11-25",
    ),
    "- [ ] a %% 📅 2026-11-19 %%": (
        "- [x] a ✅ 2026-11-25 %% 📅 2026-11-19 %%", "- [ ] a 📅 2026-11-25 %% 📅 2026-11-19 %%",
    ),
    "- [ ] a\n- [x] b [completion:: 2026-11-01]": (
        "- [x] a  [completion:: 2026-11-25]\n- [x] b [completion:: 2026-11-01]",
        "- [ ] a  [due:: 2026-11-25]\n- [x] b [completion:: 2026-11-01]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("newline", [*NEWLINES, ""])
@pytest.mark.parametrize("line", TASKS)
def test_a_task_is_done_or_moved_in_its_own_format(line: str, newline: str) -> None:
    def place(words: str) -> str:
        return f"---\nx: y\n---\n## Log\r\n\r- 2026-11-01 call\n\n{words}{newline}"

    done, moved = TASKS[line]
    note, task = find_task(place(line))
    assert close_task(note, task, D25).text == place(done)
    assert move_task(note, task, D25).text == place(moved)


def test_a_task_is_cancelled() -> None:
    note, task = find_task("- [ ] a 🔁 every week 📅 2026-11-20\n")
    assert (
        close_task(note, task, D25, cancelled=True).text
        == "- [-] a 🔁 every week 📅 2026-11-20 ❌ 2026-11-25\n"
    )


def test_a_task_that_is_on_that_day_already_is_not_touched() -> None:
    note, task = find_task("- [ ] a 📅 2026-11-25\n")
    assert move_task(note, task, D25) is note


# A recurring task, the dates of its next occurrence, the two lines after it was done on 25 November.
REPEATED = {
    "the next line goes above": (
        "- [ ] a 🔁 every week 📅 2026-11-20", ("due",),
        "- [ ] a 🔁 every week 📅 2026-12-01\n- [x] a 🔁 every week 📅 2026-11-20 ✅ 2026-11-25",
    ),
    "all dates": (
        "\t> * [/] a  🔁 every Sunday 🛫 2026-11-01 ⏳2026-11-19 📅 2026-11-20 #x", ("due", "scheduled", "start"),
        "\t> * [ ] a  🔁 every Sunday 🛫 2026-12-01 ⏳2026-12-01 📅 2026-12-01 #x\n"
        "\t> * [x] a  🔁 every Sunday 🛫 2026-11-01 ⏳2026-11-19 📅 2026-11-20 #x ✅ 2026-11-25",
    ),
    "a date that is left out, id, dependencies and block": (
        "- [ ] a 🆔 ab ⛔ cd,ef 🔁 every week ➕ 2026-01-01 ⏳ 2026-11-19 📅 2026-11-20 ^b", ("due",),
        "- [ ] a 🔁 every week 📅 2026-12-01\n"
        "- [x] a 🆔 ab ⛔ cd,ef 🔁 every week ➕ 2026-01-01 ⏳ 2026-11-19 📅 2026-11-20 ✅ 2026-11-25 ^b",
    ),
    "the day of its creation, where wished": (
        "- [ ] a 🔁 every week ➕ 2026-01-01 📅 2026-11-20", ("due", "created"),
        "- [ ] a 🔁 every week ➕ 2026-12-01 📅 2026-12-01\n"
        "- [x] a 🔁 every week ➕ 2026-01-01 📅 2026-11-20 ✅ 2026-11-25",
    ),
    "inline fields": (
        "- [ ] a  [repeat:: every week]  [id:: q]  [due:: 2026-11-20]", ("due",),
        "- [ ] a  [repeat:: every week]  [due:: 2026-12-01]\n"
        "- [x] a  [repeat:: every week]  [id:: q]  [due:: 2026-11-20]  [completion:: 2026-11-25]",
    ),
    "no date at all": ("- [ ] a 🔁 every week", (), "- [ ] a 🔁 every week\n- [x] a 🔁 every week ✅ 2026-11-25"),
    "a finished one that the plugin would delete": (
        "- [ ] a 🔁 every week 🏁 delete 📅 2026-11-20", ("due",),
        "- [ ] a 🔁 every week 🏁 delete 📅 2026-12-01\n- [x] a 🔁 every week 🏁 delete 📅 2026-11-20 ✅ 2026-11-25",
    ),
}  # fmt: skip


@pytest.mark.parametrize("newline", NEWLINES)
@pytest.mark.parametrize("name", REPEATED)
def test_a_recurring_task_gets_its_next_line(name: str, newline: str) -> None:
    line, names, after = REPEATED[name]
    note, task = find_task(f"words{newline}{line}{newline}  - below")
    days = {each: date(2026, 12, 1) for each in names}
    new = close_task(note, task, D25, following=days)
    assert new.text == f"words\n{after}\n  - below".replace("\n", newline)


REFUSED_TASKS = {
    "a rule without its next date": ("- [ ] a 🔁 every week 📅 2026-11-20", None, "bad-recurrence"),
    "two dates": ("- [ ] a 🔁 every week 📅 2026-11-20 📅 2026-11-21", {"due": D25}, "several-dates"),
    "no day": ("- [ ] a 🔁 every week ⏳ 2026-02-30 📅 2026-11-21", {"due": D25}, "bad-date"),
    "words that would join the rule": ("- [ ] a 🔁 every week 🆔 ab then", {}, "unsafe-edit"),
}


@pytest.mark.parametrize("name", REFUSED_TASKS)
def test_a_recurring_task_that_would_be_misread_is_left_as_it_is(name: str) -> None:
    line, following, code = REFUSED_TASKS[name]
    note, task = find_task(f"{line}\n")
    with pytest.raises(RefusedError, match=f"^{code}: Clients/Anna.md:1 "):
        close_task(note, task, D25, following=following)


def test_a_task_that_is_not_there_or_not_open_is_refused() -> None:
    note, task = find_task("- [ ] a\n")
    with pytest.raises(RefusedError, match=r"^task-moved: "):
        close_task(read("\n- [ ] a\n"), task, D25)
    done = close_task(note, task, D25)
    with pytest.raises(RefusedError, match=r"^task-moved: "):
        close_task(done, task, D25)
    with pytest.raises(RefusedError, match=r"^task-closed: "):
        close_task(done, parse_body(done).tasks[0], D25)
    with pytest.raises(RefusedError, match=r"^several-dates: "):
        move_task(*find_task("- [ ] a 📅 2026-11-20 📅 2026-11-21\n"), D25)


# A note's body, and the body with a new task.
NEW_TASKS = {
    "nothing but front matter": ("", "\nTASK\n"),
    "above the log": ("words\n\n## Log\n- 2026-11-01 call\n", "words\n\nTASK\n\n## Log\n- 2026-11-01 call\n"),
    "a blank line, where there is none": ("words\n## Log\n", "words\n\nTASK\n\n## Log\n"),
    "above the first open task, whose lines stay below it": (
        "- [x] done\n- [ ] a\n  more\n\n## Log\n", "- [x] done\nTASK\n- [ ] a\n  more\n\n## Log\n",
    ),
    "not among the tasks of the log": (
        "## Log\n- 2026-11-01 call\n- [ ] a\n", "\nTASK\n\n## Log\n- 2026-11-01 call\n- [ ] a\n",
    ),
    "not in code or a comment": (
        "```\n- [ ] a\n## Log\n```\n%% - [ ] b\n%%\n", "```\n- [ ] a\n## Log\n```\n%% - [ ] b\n%%\n\nTASK\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("newline", NEWLINES)
@pytest.mark.parametrize("name", NEW_TASKS)
def test_a_new_task_goes_where_open_ones_are(name: str, newline: str) -> None:
    body, after = (f"---\nx: y\n---\n{text}".replace("\n", newline) for text in NEW_TASKS[name])
    new = add_task(read(body), "tell them #promise", D25)
    assert new.text == after.replace("TASK", "- [ ] tell them #promise 📅 2026-11-25")
    inline = "- [x] old [due:: 2026-11-01]" + newline
    new = add_task(read(f"---{newline}x: y{newline}---{newline}{inline}"), "tell them #promise", D25)
    assert "- [ ] tell them #promise  [due:: 2026-11-25]" in new.text


def test_a_new_task_that_would_not_be_one_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"^unsafe-edit: Clients/Anna.md:1 "):
        add_task(read("---\nx: y\n---\n```\nnever closed\n"), "tell them #promise", D25)


task_words = st.lists(
    st.sampled_from(
        [
            "a", "📅 2026-11-20", "⏳ 2026-11-19", "🛫2026-11-01", "➕ 2026-01-01", "🔁 every week", "🆔 ab", "⛔ x,y",
            "[due:: 2026-11-20]", "(scheduled:: 2026-11-18),", "[repeat:: every day]", "#tag", "^blk", "✅", "✅ done",
            "📅 2026-02-30", "📅\ufe0f 2026-11-21", "📅\u00a02026-11-21", "`📅 2026-01-01`", "%% c %%", "[[Acme]]",
            "(late)", "⏫", "🏁 delete", "[id:: q]", "📅 [[2026-11-20]]", "x ", "<!-- 📅 2026-11-20 -->",
        ]
    ),
    max_size=6,
).map(" ".join)  # fmt: skip


@given(awkward_lines, task_words, st.sampled_from(NEWLINES), st.booleans(), st.integers(0, 8))
@settings(max_examples=400, deadline=None)
def test_a_task_changes_nothing_but_itself(
    lines: list[str], words: str, newline: str, open_end: bool, at: int
) -> None:
    lines.insert(at, f"- [ ] {words}")
    text = newline.join(lines) + newline * open_end
    note = parse_note(text.encode("utf-8", "surrogateescape"), "a.md")
    try:
        added = add_task(note, "tell them #promise", D25)
    except RefusedError:
        added = None
    if added is not None:
        assert len(parse_body(added).tasks) == len(parse_body(note).tasks) + 1
    for task in parse_body(note).tasks:
        names = [name for name in ("due", "scheduled", "start") if getattr(task, name)]
        following = {name: date(2026, 12, 1) for name in names} if task.recurrence else None
        try:
            new = close_task(note, task, D25, following=following)
        except RefusedError:
            continue
        old_lines, new_lines = (re.split("\r\n|\r|\n", each.text) for each in (note, new))
        repeated = int(following is not None)
        assert len(new_lines) == len(old_lines) + repeated
        del new_lines[task.line - 1 : task.line + repeated], old_lines[task.line - 1]
        assert new_lines == old_lines
        done = parse_body(new).tasks[parse_body(note).tasks.index(task) + repeated]
        assert (done.open, done.done, done.text, done.due) == (False, D25, task.text, task.due)


# --------------------------------------------------------------------------------------- new notes

MOMENT = datetime(2026, 11, 22, 9, 5, 7)
FORMATS = {
    "YYYY-MM-DD": "2026-11-22", "HH:mm": "09:05", "dddd, Do MMMM YYYY": "Sunday, 22nd November 2026",
    "ddd D MMM YY": "Sun 22 Nov 26", "h:mm A": "9:05 AM", "[Week] w [of] gggg": "Week 48 of 2026",
    "GGGG-[W]WW-E": "2026-W47-7", "DDDD Q": "326 4", "LL": "November 22, 2026", "LT": "9:05 AM", "H:m:s": "9:5:7",
    "Mo Qo DDDo": "11th 4th 326th", "SSS k": "000 9", "dd e": "Su 0", "YYYY年M月D日": "2026年11月22日",
}  # fmt: skip


@pytest.mark.parametrize("pattern", FORMATS)
def test_a_moment_is_written_as_moment_js_does(pattern: str) -> None:
    assert format_moment(MOMENT, pattern) == FORMATS[pattern]


TEMPLATES = {
    "a quoted title": ('---\nname: "{{title}}"\n---\n', 'O"B', '---\nname: "O\\"B"\n---\n'),
    "a bare title": ("---\nname: {{title}}\n---\n# {{title}}\n", "A: b", '---\nname: "A: b"\n---\n# A: b\n'),
    "a title that YAML takes for no": ("---\nname: {{title}}\n---\n", "No", '---\nname: "No"\n---\n'),
    "a date": ("---\ncreated: {{date}}\n---\n{{ time }}\n", "x", "---\ncreated: 2026-11-22\n---\n09:05\n"),
    "a format": ("{{date:DD/MM/YYYY}} {{Time:h A}}\n", "x", "22/11/2026 9 AM\n"),
    "a list": ('---\ntags: [{{title}}, "{{date:YYYY}}"]\n---\n', "a, b", '---\ntags: ["a, b", "2026"]\n---\n'),
    "a comment": ("---\n# {{date}}\nx: y\n---\n", "x", "---\n# 2026-11-22\nx: y\n---\n"),
    "a title with a placeholder's look": ("---\nx: '{{title}}'\n---\n", "{{date}}", '---\nx: "{\\x7bdate}}"\n---\n'),
    "line ends": ("---\r\nname: {{title}}\r\n---\r\n", "A", "---\r\nname: A\r\n---\r\n"),
    "a body's own braces": ("{{date}} {{query}} <% x %>\n", "x", "2026-11-22 {{query}} <% x %>\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_filled(name: str) -> None:
    text, title, expected = TEMPLATES[name]
    note = fill_template(parse_note(BOM + text.encode(), "T.md"), "a.md", title, MOMENT)
    assert (note.path, note.data) == ("a.md", BOM + expected.encode())


def test_the_formats_of_the_vault() -> None:
    note = fill_template(read("{{date}} {{time}}"), "a.md", "x", MOMENT, "D MMM", "H")
    assert note.text == "22 Nov 9"


@pytest.mark.parametrize("text", ["---\nname: {{VALUE}}\n---\n", "---\nname: <% tp.file.title %>\n---\n"])
def test_a_template_for_another_plugin_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"^bad-template: T\.md:2 "):
        fill_template(parse_note(text.encode(), "T.md"), "a.md", "x", MOMENT)


def test_a_note_from_nothing_has_its_keys_in_our_order() -> None:
    note = build_note(
        "a.md",
        {
            "next_contact": "2026-11-25",
            "phone": "0712",
            "type": "client",
            "tags": ["a", "b: c"],
            "content": "x",
        },
        "\n## Log\n- 2026-11-20 call: x\n",
        ORDER,
    )
    assert note.text == (
        '---\ntype: client\nphone: "0712"\ntags:\n  - a\n  - "b: c"\nnext_contact: 2026-11-25\ncontent: x\n---\n\n'
        "## Log\n- 2026-11-20 call: x\n"
    )
    assert not note.problems
