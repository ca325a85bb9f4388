"""A note's bytes, then what is read: values as written, each with its place, and the problems."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notesync.notes import nodes
from notesync.notes.note import MAX_HEADER, Note, Property, find_place, normalise_key, parse_note
from notesync.notes.sure import read_sure


def read(text: str, known: frozenset[str] | None = None) -> Note:
    return parse_note(text.encode(), "Clients/Anna.md", known)


def read_header(header: str, known: frozenset[str] | None = None) -> Note:
    return read(f"---\n{header}\n---\n\n# Anna\n", known)


def values(note: Note) -> dict[str, list[str]]:
    return {item.name: [value.text for value in item.values] for item in note.properties}


def codes(note: Note) -> list[str]:
    return [problem.code for problem in note.problems]


def check_sound(note: Note) -> None:
    """What holds for every note, whatever its bytes."""
    assert "".join(note.parts()) == note.text
    assert note.encode() == note.data
    for item in note.properties:
        assert note.place(item.start) == (item.line, item.column)
        assert note.header_start <= item.start < item.end <= note.header_end
        for value in item.values:
            assert value.text.strip()
            assert note.place(value.start) == (value.line, value.column)
            written = note.text[value.start : value.end]
            assert item.start <= value.start < value.end <= item.end
            if value.plain:
                assert written.split() == value.text.split()
            else:
                assert written[0] in "\"'|>"
    for problem in note.problems:
        assert problem.message.endswith(".")
        assert problem.hint
        assert 1 <= problem.line <= note.place(len(note.text))[0]
        assert problem.column >= 1


# ------------------------------------------------------------------------------------- sound notes

GOOD_HEADERS = {
    "words": ("name: Anna Müller", {"name": ["Anna Müller"]}),
    "a phone number keeps its nought": ("phone: 0712345670", {"phone": ["0712345670"]}),
    "a phone number keeps its plus": ("phone: +31612345678", {"phone": ["+31612345678"]}),
    "Norway is no boolean": ("country: NO", {"country": ["NO"]}),
    "yes is a word": ("lead: yes", {"lead": ["yes"]}),
    "a time is no number": ("best_time: 9:30\nalarm: 14:30", {"best_time": ["9:30"], "alarm": ["14:30"]}),
    "a name that begins with noughts": ("name: 007 Ltd", {"name": ["007 Ltd"]}),
    "a day that does not exist is text": ("sold: 2026-02-30", {"sold": ["2026-02-30"]}),
    "a date and time as written": (
        "next_contact: 2026-11-25 14:30:00+02:00",
        {"next_contact": ["2026-11-25 14:30:00+02:00"]},
    ),
    "double quotes": ('phone: "+44 1632 960020"', {"phone": ["+44 1632 960020"]}),
    "single quotes": ("name: 'O''Brien & Sons: builders'", {"name": ["O'Brien & Sons: builders"]}),
    "escapes": (r'name: "tab\there \"and\" \u00e9"', {"name": ['tab\there "and" é']}),
    "an empty key": ("next_contact:\nname: Anna", {"next_contact": [], "name": ["Anna"]}),
    "an empty key with a blank": ("next_contact: \nname: Anna", {"next_contact": [], "name": ["Anna"]}),
    "an empty text": ('next_contact: ""', {"next_contact": []}),
    "null and ~": ("sold: null\nlost: ~", {"sold": [], "lost": []}),
    "a man called Null": ("name: Null", {"name": ["Null"]}),
    "trailing blanks": ("name: Anna   \nstage: lead \t", {"name": ["Anna"], "stage": ["lead"]}),
    "a flow list": ("tags: [client, 'a b', \"c, d\"]", {"tags": ["client", "a b", "c, d"]}),
    "a flow list over lines": ("tags: [\n  client,\n  vip\n]", {"tags": ["client", "vip"]}),
    "an empty flow list": ("tags: []", {"tags": []}),
    "a block list": ("tags:\n  - client\n  - vip", {"tags": ["client", "vip"]}),
    "a block list at the key's column": (
        "tags:\n- client\n- vip\nname: A",
        {"tags": ["client", "vip"], "name": ["A"]},
    ),
    "empty list items": ("tags:\n  - client\n  - \n  -\n  - vip", {"tags": ["client", "vip"]}),
    "an unquoted link": ("referred_by: [[Acme]]", {"referred_by": ["[[Acme]]"]}),
    "an unquoted link with shown words": ("company: [[Acme Ltd|them]]", {"company": ["[[Acme Ltd|them]]"]}),
    "an unquoted link with a comma": ("company: [[Smith, Jones]]", {"company": ["[[Smith, Jones]]"]}),
    "an unquoted link to a day": ("last_contact: [[2026-11-20]]", {"last_contact": ["[[2026-11-20]]"]}),
    "unquoted links in a block list": ("team:\n  - [[Ben]]\n  - [[Cleo]]", {"team": ["[[Ben]]", "[[Cleo]]"]}),
    "unquoted links in a flow list": ("team: [[[Ben]], [[Cleo]]]", {"team": ["[[Ben]]", "[[Cleo]]"]}),
    "quoted links": ('team: ["[[Ben]]", "[[Cleo]]"]', {"team": ["[[Ben]]", "[[Cleo]]"]}),
    "a comment and an empty line": (
        "# about her\nname: Anna\n\nstage: lead",
        {"name": ["Anna"], "stage": ["lead"]},
    ),
    "words over two lines": ("address: 1 High Street\n  Bath", {"address": ["1 High Street Bath"]}),
    "a block of words": (
        "address: |\n  1 High Street\n  Bath\nname: A",
        {"address": ["1 High Street\nBath\n"], "name": ["A"]},
    ),
    "a URL": ("website: https://example.com/a:b?c=d", {"website": ["https://example.com/a:b?c=d"]}),
    "a hash inside a word": ("company: C#Sharp", {"company": ["C#Sharp"]}),
    "keys in any case, with blanks and hyphens": (
        "Next Contact: 2026-11-25\nLAST-CONTACT: 2026-11-20",
        {"next_contact": ["2026-11-25"], "last_contact": ["2026-11-20"]},
    ),
    "a quoted key": ('"name": Anna', {"name": ["Anna"]}),
    "a key in another script": ("имя: Анна", {"имя": ["Анна"]}),
    "a line separator in a value": ("name: An\u2028na x", {"name": ["An\u2028na x"]}),
    "next line and form feed": (
        "name: A\x85B\x0cC\nstage: lead",
        {"name": ["A\x85B\x0cC"], "stage": ["lead"]},
    ),
    "an emoji": ("name: Anna 🦊\nstage: lead", {"name": ["Anna 🦊"], "stage": ["lead"]}),
    "a tab behind the colon": ("name:\tAnna", {"name": ["Anna"]}),
    "JSON": ('{"name": "Anna",\n "tags": ["a", "b"]}', {"name": ["Anna"], "tags": ["a", "b"]}),
    "asterisks inside": ("name: Anna *the boss* & Co!", {"name": ["Anna *the boss* & Co!"]}),
    "asterisks in quotes": ('name: "*Anna*"\nstage: "&c"', {"name": ["*Anna*"], "stage": ["&c"]}),
    "merge key as a mere key": ('"<<": x', {"<<": ["x"]}),
    "nothing but a comment": ("# nothing yet", {}),
}


@pytest.mark.parametrize("name", GOOD_HEADERS)
def test_values_are_read_as_they_were_written(name: str) -> None:
    header, expected = GOOD_HEADERS[name]
    for newline in ("\n", "\r\n", "\r"):
        note = read(f"---\n{header}\n---\n\n# Anna\n".replace("\n", newline))
        check_sound(note)
        got = {key: [text.replace("\r\n", "\n") for text in texts] for key, texts in values(note).items()}
        assert (got, note.problems, note.broken) == (expected, (), False), newline


def test_a_property_knows_its_place_and_its_lines() -> None:
    note = read("---\ntype: client\ntags:\n  - a\n  - 'b c'\n# hm\nname: Anna # x\n---\nBody\n", frozenset())
    kind, tags, name = note.properties
    assert kind == Property("type", "type", kind.values, False, True, 2, 1, 4, 17)
    assert kind.values[0] == ("client", 2, 7, 10, 16, True)
    assert note.text[tags.start : tags.end] == "tags:\n  - a\n  - 'b c'\n"
    assert [(value.text, value.line, value.column, value.plain) for value in tags.values] == [
        ("a", 4, 5, True),
        ("b c", 5, 5, False),
    ]
    assert tags.is_list
    assert note.text[name.start : name.end] == "name: Anna # x\n"
    assert note.get("name") is name
    assert note.get("nothing") is None


def test_a_nested_value_is_not_flat() -> None:
    note = read_header("address:\n  street: 1\nteam:\n  - name: Ben\n  - Cleo\nname: Anna")
    assert [(item.name, item.is_list, item.flat) for item in note.properties] == [
        ("address", False, False),
        ("team", True, False),
        ("name", False, True),
    ]
    assert values(note)["team"] == ["Cleo"]


# ------------------------------------------------------------------------------- fences and bytes

FENCES = {
    "no front matter": ("# Anna\n\n---\n", -1, 0),
    "empty file": ("", -1, 0),
    "only a fence": ("---", -1, 0),
    "closed": ("---\nname: A\n---\nBody", 4, 16),
    "nothing behind the closing fence": ("---\nname: A\n---", 4, 15),
    "empty block": ("---\n---\nBody", 4, 8),
    "closed by dots": ("---\nname: A\n...\nBody", 4, 16),
    "blanks behind the fences": ("---  \nname: A\n--- \t\nBody", 6, 20),
    "text on the closing fence": ("---\nname: A\n--- `button`\nBody", 4, 15),
    "a longer row of dashes below": ("---\nname: A\n----\n---\nBody", 4, 21),
    "first line a longer row": ("-----\nname: A\n---\n", -1, 0),
    "TOML": ("+++\nname = 1\n+++\n", -1, 0),
    "---yaml": ("---yaml\nname: A\n---\n", -1, 0),
    "a rule and prose": ("---\nJust words.\n\nMore.\n", -1, 0),
    "CRLF": ("---\r\nname: A\r\n---\r\nBody", 5, 19),
    "header LF, body CRLF": ("---\nname: A\n---\r\nBody\r\n", 4, 17),
    "CR only": ("---\rname: A\r---\rBody", 4, 16),
    "an indented fence is none": ("---\nname: |\n  ---\n---\nBody", 4, 22),
    "blank lines before": ("\n \n---\nname: A\n---\nBody", 7, 19),
    "blank lines before a rule": ("\n---\nwords\n---\nBody", -1, 0),
}


@pytest.mark.parametrize("name", FENCES)
def test_fences(name: str) -> None:
    text, header_start, body_start = FENCES[name]
    note = read(text)
    check_sound(note)
    assert (note.header_start, note.body_start) == (header_start, body_start)
    if header_start >= 0 and name != "empty block":
        assert "name" in values(note)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("bom", "encoding", "expected"),
    [
        (b"", "utf-8", []),
        (b"\xef\xbb\xbf", "utf-8", []),
        (b"\xff\xfe", "utf-16-le", ["not-utf-8"]),
        (b"\xfe\xff", "utf-16-be", ["not-utf-8"]),
    ],
)
def test_byte_order_marks(newline: str, bom: bytes, encoding: str, expected: list[str]) -> None:
    text = "---\nname: Zoë 🦊\nstage: lead\n---\nBody".replace("\n", newline)
    note = parse_note(bom + text.encode(encoding), "a.md")
    check_sound(note)
    assert (note.text, note.bom, note.encoding, codes(note)) == (text, bom, encoding, expected)
    assert values(note) == {"name": ["Zoë 🦊"], "stage": ["lead"]}
    assert note.encode("---\nname: Bo\n---\n") == bom + "---\nname: Bo\n---\n".encode(encoding)


def test_bytes_that_are_no_text_are_a_problem_at_their_place() -> None:
    note = parse_note(b"---\nname: Zo\xeb\nstage: lead\n---\n", "a.md")
    check_sound(note)
    assert [(p.code, p.line, p.column) for p in note.problems] == [("not-utf-8", 2, 9)]
    assert values(note) == {"name": ["Zo\udceb"], "stage": ["lead"]}


def test_utf16_cut_off_in_the_middle_of_a_character() -> None:
    note = parse_note(b"\xff\xfe-\0-", "a.md")
    check_sound(note)
    assert "not-utf-8" in codes(note)


def test_nul_characters_are_named() -> None:
    note = parse_note(b"---\nname: Anna\n---\n" + b"\0" * 40, "a.md")
    check_sound(note)
    assert [(p.code, p.line, p.column) for p in note.problems] == [("nul-characters", 4, 1)]
    assert values(note) == {"name": ["Anna"]}


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("a\nb", 2, (2, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("a\r\nb", 2, (1, 3)),
        ("a\rb\r\nc", 5, (3, 1)),
        ("a\u2028b\x85c\x0cd", 6, (1, 7)),
        ("a\n", 2, (2, 1)),
        ("", 0, (1, 1)),
        ("🦊🦊x", 2, (1, 3)),
    ],
)
def test_places_count_characters_and_only_real_line_ends(
    text: str, offset: int, place: tuple[int, int]
) -> None:
    assert find_place(text, offset) == place


# ----------------------------------------------------------------------------------- broken headers

# Header below "type: client"; code, line and column of the problem; a part of its mend; the values.
BROKEN_HEADERS: dict[str, tuple[str, tuple[str, int, int], str, dict[str, list[str]]]] = {
    "a colon in a title": (
        "title: Plan: phase 2\nname: Anna",
        ("bad-yaml", 3, 12),
        '"Plan: phase 2"',
        {"title": ["Plan: phase 2"], "name": ["Anna"]},
    ),
    "two links side by side": (
        "team: [[Ben]], [[Cleo]]\nname: Anna",
        ("bad-yaml", 3, 7),
        'Write ["[[Ben]]", "[[Cleo]]"].',
        {"team": ["[[Ben]]", "[[Cleo]]"], "name": ["Anna"]},
    ),
    "two quoted texts side by side": (
        'email: "a@example.com", "b@example.com"',
        ("bad-yaml", 3, 8),
        'Write ["a@example.com", "b@example.com"].',
        {"email": ["a@example.com", "b@example.com"]},
    ),
    "a handle": (
        "owner: @anna\nname: Anna",
        ("bad-yaml", 3, 8),
        '"@anna"',
        {"owner": ["@anna"], "name": ["Anna"]},
    ),
    "a handle in a list": (
        "owner:\n  - @anna\n  - ben",
        ("bad-yaml", 4, 5),
        '"@anna"',
        {"owner": ["@anna", "ben"]},
    ),
    "a backtick": ("source: `fair`", ("bad-yaml", 3, 9), '"`fair`"', {"source": ["`fair`"]}),
    "bold words": (
        "name: **Anna** Smith",
        ("bad-yaml", 3, 7),
        '"**Anna** Smith"',
        {"name": ["**Anna** Smith"]},
    ),
    "a word that looks like an alias": (
        "name: *Anna\nstage: lead",
        ("bad-yaml", 3, 7),
        '"*Anna"',
        {"name": ["*Anna"], "stage": ["lead"]},
    ),
    "an ampersand": (
        "company: &Sons\nstage: lead",
        ("bad-yaml", 3, 10),
        '"&Sons"',
        {"company": ["&Sons"], "stage": ["lead"]},
    ),
    "an anchor and its alias": ("a: &x 1\nb: *x", ("bad-yaml", 3, 4), '"&x 1"', {"a": ["&x 1"], "b": ["*x"]}),
    "an exclamation mark": ("note: !important", ("bad-yaml", 3, 7), '"!important"', {"note": ["!important"]}),
    "a percent sign": ("note: %5", ("bad-yaml", 3, 7), '"%5"', {"note": ["%5"]}),
    "a quote never closed": (
        'summary: "waiting for a reply\nname: Anna',
        ("bad-yaml", 3, 10),
        'Write " at the value',
        {"summary": ["waiting for a reply"], "name": ["Anna"]},
    ),
    "text behind a closing quote": (
        'title: "x" is not "y"\nname: Anna',
        ("bad-yaml", 3, 11),
        "whole value in quotes",
        {"title": ['"x" is not "y"'], "name": ["Anna"]},
    ),
    "a bracket never closed": (
        "tags: [red, blue\nname: Anna",
        ("bad-yaml", 3, 7),
        "Write ]",
        {"tags": ["red", "blue"], "name": ["Anna"]},
    ),
    "a tab before a nested key": (
        "address:\n\tstreet: 1\nname: Anna",
        ("bad-yaml", 4, 1),
        "blanks instead of the tab",
        {"address": [], "name": ["Anna"]},
    ),
    "a tab before a list item": (
        "tags:\n\t- a\n\t- b\nname: Anna",
        ("bad-yaml", 4, 1),
        "blanks instead of the tab",
        {"tags": ["a", "b"], "name": ["Anna"]},
    ),
    "no blank behind the colon": (
        "phone:0712345\nname: Anna",
        ("bad-yaml", 3, 7),
        "a blank behind the colon",
        {"phone": ["0712345"], "name": ["Anna"]},
    ),
    "a blank of another kind behind the colon": (
        "phone:\u00a00712345\nname: Anna",
        ("bad-yaml", 3, 7),
        "a blank behind the colon",
        {"phone": ["0712345"], "name": ["Anna"]},
    ),
    "keys indented by tabs": (
        "name: Anna\n\tphone: 0712345\n\ttags:\n\t- a\nstage: lead",
        ("bad-yaml", 4, 2),
        "Begin the line with the key",
        {"name": ["Anna"], "phone": ["0712345"], "tags": ["a"], "stage": ["lead"]},
    ),
    "a key indented by blanks": (
        "name: Anna\n  'phone': 0712345\nstage: lead",
        ("bad-yaml", 4, 3),
        "Begin the line with the key",
        {"name": ["Anna"], "phone": ["0712345"], "stage": ["lead"]},
    ),
    "an indented key that stands without indent, too": (
        "assistant: Kim\n  phone: 123\nphone: 999",
        ("bad-yaml", 4, 3),
        "Begin the line with the key",
        {"assistant": ["Kim"], "phone": ["999"]},
    ),
    "a line that is no property": (
        "call her back\nname: Anna",
        ("bad-yaml", 3, 1),
        "key: value",
        {"name": ["Anna"]},
    ),
    "merge markers": (
        "<<<<<<< HEAD\nowner: maya\n=======\nowner: tom\n>>>>>>> laptop\nname: Anna",
        ("merge-marker", 3, 1),
        "delete those with <<<<<<<",
        {"owner": ["maya"], "name": ["Anna"]},
    ),
    "a merge marker left over": (
        "owner: maya\n=======\nname: Anna",
        ("merge-marker", 4, 1),
        "delete those with <<<<<<<",
        {"owner": ["maya"], "name": ["Anna"]},
    ),
    "a bad escape": (
        r'path: "C:\|x"' + "\nname: Anna",
        ("bad-yaml", 3, 7),
        "\\\\",
        {"path": [r"C:\|x"], "name": ["Anna"]},
    ),
    "words below a quoted text": (
        'title: "a"\n  b\nname: Anna',
        ("bad-yaml", 4, 3),
        "",
        {"title": ["a"], "name": ["Anna"]},
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", BROKEN_HEADERS)
def test_one_bad_line_costs_only_itself(name: str, newline: str) -> None:
    header, (code, line, column), mend, expected = BROKEN_HEADERS[name]
    note = read(f"---\ntype: client\n{header}\ntags2:\n  - x\n---\n# Anna\n".replace("\n", newline))
    check_sound(note)
    assert note.broken
    assert [(p.code, p.line, p.column) for p in note.problems][:1] == [(code, line, column)]
    assert mend in note.problems[0].hint
    first = {name: [value.text for value in note.get(name).values] for name in values(note)}  # type: ignore[union-attr]
    assert first == {"type": ["client"], **expected, "tags2": ["x"]}
    assert "".join(note.parts()[3]) == f"# Anna{newline}"


@pytest.mark.parametrize(
    "below", ["  spouse:\n  # at work\n    phone: 071\n    name: Bo\n", "  - role: sister\n    phone: 071\n"]
)
def test_keys_below_an_indented_key_or_item_are_its_own(below: str) -> None:
    note = read(f"---\ntype: client\nname: Anna\n{below}  every: month\n---\n")
    check_sound(note)
    assert [found.name for found in note.found if found.name != "spouse"] == ["type", "name", "every"]
    assert "Begin the line with the key" in note.problems[-1].hint


def test_duplicate_keys_are_a_problem_and_the_first_counts() -> None:
    note = read_header("name: Anna\nstage: lead\nName: Bea\nname: Cleo")
    assert [(p.code, p.line, p.column) for p in note.problems] == [
        ("duplicate-key", 4, 1),
        ("duplicate-key", 5, 1),
    ]
    first = note.get("name")
    assert first is not None
    assert first.values[0].text == "Anna"
    assert len(note.properties) == 4
    assert not note.broken


LOST = {
    "a hash behind a blank": ("company: Shop # 3\nname: A", 2, 15),
    "a tag as the only value": ("tags: #client\nname: A", 2, 7),
    "in a list": ("tags:\n  - red #3\n  - blue", 3, 9),
}


@pytest.mark.parametrize("name", LOST)
def test_text_lost_as_a_comment_is_a_warning_for_known_keys(name: str) -> None:
    header, line, column = LOST[name]
    note = read_header(header)
    assert [(p.code, p.line, p.column) for p in note.problems] == [("lost-text", line, column)]
    assert codes(read_header(header, frozenset({"phone"}))) == []


@pytest.mark.parametrize(
    "header", ["next_contact: # not yet\nname: A", "# a comment\nname: A", "name: 'A # b'"]
)
def test_comments_that_were_meant_are_no_problem(header: str) -> None:
    assert codes(read_header(header)) == []


@pytest.mark.parametrize(
    "header",
    [
        "name: {{title}}\nlast_contact: {{date}}",
        "name: <% tp.file.title %>",
        "name: Dear {{x}}",
        "a: {{x}} {{y}}",
    ],
)
def test_templates_are_recognised(header: str) -> None:
    note = read_header(header)
    check_sound(note)
    assert note.template
    assert not note.broken
    assert codes(note) == ["template"]
    assert not read_header("name: a { b }").template


def test_front_matter_that_is_a_list_is_read_for_the_keys_it_looks_like() -> None:
    note = read("---\n- type: client\n- name: Anna\n---\n")
    check_sound(note)
    assert [(p.code, p.line) for p in note.problems] == [("not-properties", 2)]
    assert note.broken
    assert values(note) == {"type": ["client"], "name": ["Anna"]}


def test_words_between_two_rules_are_a_warning() -> None:
    note = read("---\nJust words\n---\nBody\n")
    check_sound(note)
    assert [(p.code, p.severity) for p in note.problems] == [("not-properties", "warning")]
    assert not note.broken


UNCLOSED = {
    "heading below": "---\ntype: client\nname: Anna\n\n# Anna\n\nWords: these.\n",
    "prose below": "---\ntype: client\nname: Anna\nShe called.\n",
    "nothing below": "---\ntype: client\nname: Anna",
    "a rule further down": "---\ntype: client\nname: Anna\n\n# Anna\n\nShe said no.\n\n---\n\nMore\n",
    "a sample note in code further down": "---\ntype: client\nname: Anna\n\n# Anna\n\n```\n---\ntype: x\n---\n```\n",
    "a log below": "---\ntype: client\nname: Anna\n\n- 2026-11-20 call: hm\n",
    "a task right below": "---\ntype: client\nname: Anna\n- [ ] call 📅 2026-11-20\n",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", UNCLOSED)
def test_front_matter_without_a_closing_fence(name: str, newline: str) -> None:
    note = read(UNCLOSED[name].replace("\n", newline), frozenset({"type", "name"}))
    check_sound(note)
    assert values(note) == {"type": ["client"], "name": ["Anna"]}
    assert [(p.code, p.line, p.column) for p in note.problems] == [("unclosed-front-matter", 1, 1)]
    assert note.broken
    assert note.header_end == note.body_start


def test_blank_lines_before_the_front_matter_are_a_warning() -> None:
    note = read("\n\n---\nname: Anna\n---\n")
    assert [(p.code, p.line) for p in note.problems] == [("blank-before-front-matter", 3)]
    assert values(note) == {"name": ["Anna"]}


def test_a_conflict_around_the_whole_note_is_still_read() -> None:
    note = read("<<<<<<< HEAD\n---\nname: Anna\n---\nBody\n=======\n---\nname: Bea\n---\n>>>>>>> x\n")
    check_sound(note)
    assert values(note) == {"name": ["Anna"]}
    assert [(p.code, p.line) for p in note.problems] == [("merge-marker", 1)]


# ------------------------------------------------------------------------------------ hostile notes

HOSTILE = {
    "brackets": "---\nname: Anna\na: " + "[" * 60_000 + "\n---\n",
    "many brackets": "---\na: " + "[" * 100_000 + "\n---\n",
    "dashes": "---\nname: Anna\na:\n  " + "- " * 30_000 + "x\n---\n",
    "question marks": "---\nname: Anna\n" + "? " * 30_000 + "x\n---\n",
    "deep indent": "---\n" + "".join(" " * n + "a:\n" for n in range(300)) + "---\n",
    "braces in order": "---\nname: Anna\na: " + "{a: " * 15_000 + "\n---\n",
    "aliases": "---\nname: Anna\na: &a [x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))
    + "---\n",
    "merge keys": "---\nname: Anna\na: &a {k: v}\n"
    + "".join(f"b{n}: &b{n}\n  <<: [*a, *a]\n" for n in range(200))
    + "---\n",
    "colons": "---\nname: Anna\n" + "a: " * 20_000 + "\n---\n",
    "quotes": "---\nname: Anna\nb: " + "\"'" * 30_000 + "\n---\n",
    "commas": "---\nname: Anna\nb: [" + "a , " * 15_000 + "\n---\n",
    "blanks": "---\nname: Anna\nb: x" + " " * 60_000 + "#\n---\n",
    "keys": "---\nname: Anna\n" + "@: x\n" * 12_000 + "---\n",
    "a long key": "---\nname: Anna\n" + "a b" * 20_000 + "\n---\n",
    "links": "---\nname: Anna\nb: " + "[[a]] " * 10_000 + "\n---\n",
    "5 MB of words": "---\nname: Anna\n---\n" + "words and words\n" * 320_000,
    "5 MB of header": "---\nname: Anna\n" + "a: b\n" * 1_000_000 + "---\n",
    "5 MB never closed": "---\nname: Anna\n" + "a: b\n" * 1_000_000,
    "5 MB of blank lines": "\n" * 5_000_000,
    "5 MB of markers": "<<<<<<< \n" * 550_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_notes_are_answered_at_once(name: str) -> None:
    data = HOSTILE[name].encode()
    start = time.process_time()
    note = parse_note(data, "a.md")
    assert time.process_time() - start < 1.5
    assert "".join(note.parts()) == note.text
    if "name: Anna" in HOSTILE[name]:
        found = note.get("name")
        assert found is not None
        assert found.values[0].text == "Anna"


def test_a_header_over_the_limit_is_read_from_its_beginning() -> None:
    note = read("---\nname: Anna\n" + "a: b\n" * (MAX_HEADER // 4) + "---\nBody")
    assert "header-too-large" in codes(note)
    assert note.broken
    assert note.parts()[3] == "Body"
    assert note.get("name") is not None


# --------------------------------------------------------------------------------------- invariants

FRAGMENTS = [
    "---", "--- ", "...", "----", "\n", "\r", "\r\n", "\ufeff", "name", ": ", ":", "key: value", "tags:", "  - item",
    "- ", "[", "]", "{", "}", "[[Acme]]", ", ", '"', "'", "\\", "#", " #", "&a", "*a", "!t", "|", ">", "%", "@", "`",
    "~", "?", "<<", "\t", " ", "  ", "\u2028", "\x85", "\x0b", "\x0c", "\0", "\x1b", "🦊", "é", "\u00a0",
    "<<<<<<< HEAD", "=======", ">>>>>>> x", "{{", "<%", "null", "2026-11-20", "type: client\n", "---\n", "\n---\n",
    "# h\n", "```", "\ue000", "٣",
]  # fmt: skip
awkward = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@given(st.one_of(st.binary(max_size=200), awkward.map(lambda text: text.encode("utf-8", "surrogatepass"))))
@settings(max_examples=400)
def test_any_bytes_give_a_sound_note(data: bytes) -> None:
    check_sound(parse_note(data, "a.md"))


@given(awkward)
@settings(max_examples=600)
@example("name: |\n\n  x\n\n\nstage: lead")
@example("tags:\n  - a\n - b")
@example("a: 'x\n\n  y'")
@example("type: client\n \u2028")
@example("name: \u00a0")
@example("{?}")
def test_any_header_gives_a_sound_note(header: str) -> None:
    check_sound(read(f"---\n{header}\n---\nBody\n"))


@given(st.binary(max_size=60), st.sampled_from([b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"]))
def test_any_bytes_behind_a_byte_order_mark(data: bytes, bom: bytes) -> None:
    check_sound(parse_note(bom + data, "a.md"))


words = st.text(
    st.one_of(
        st.sampled_from("abz09 :#-[]{},'\"&*!|>%@`~=<.?\\\t\u00a0\u2028é🦊"), st.characters(codec="utf-8")
    ),
    max_size=12,
)
lines = st.one_of(
    st.tuples(st.sampled_from(["name", "Next Contact", "a-b", "x1", "ключ"]), words).map(": ".join),
    st.tuples(st.sampled_from(["", " ", "  "]), words).map("- ".join),
    st.sampled_from(
        ["tags:", "name: Anna", "a: [b, 'c']", "a: [ ]", 'a: "b"', "  - c", "b: null", "c: ~", "d: 9:30 "]
    ),
    words,
)


def _forget_end(item: Property) -> tuple[Any, ...]:
    return item[:8]


@given(st.lists(lines, min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=1500)
def test_sure_lines_are_read_as_yaml_reads_them(header_lines: list[str], newline: str) -> None:
    header = "".join(line + newline for line in header_lines)
    sure = read_sure(header, 0, len(header), 1)
    if sure is None:
        return
    node = nodes.compose(header)
    by_yaml = [] if node is None else nodes.read_mapping(header, node, 0, 1)
    assert sure == by_yaml


GOOD_LINES = [
    "type: client",
    "phone: 0712345670",
    "tags:\n  - a\n  - 'b: c'",
    "team: [[Acme]]",
    'owner: "a \\"b\\""',
    "address: |\n  1 High Street\n  Bath",
    "aliases: [x, 'y z',\n  w]",
    "next_contact: 2026-11-25",
    "last_contact:",
    "role: head\n  of sales",
]
BAD_LINES = [
    "x: A: B", "x: @y", "x: 'open", 'x: "open', "x: [open", "x: {open", "x: *a", "x: &a b", "words", "x:\n\t- y",
    "x: `y`", "x: [[A]], [[B]]", "x: \"a\" b", "=======", "x:y", "  indented: x", "]", "x: ]", "- item", "x: |\nword",
    "%", ": x", "@: y",
]  # fmt: skip


@given(
    st.permutations(GOOD_LINES),
    st.lists(st.tuples(st.integers(0, 10), st.sampled_from(BAD_LINES)), min_size=1, max_size=3),
)
@settings(max_examples=400)
def test_a_bad_line_never_costs_another_key(good: list[str], bad: list[tuple[int, str]]) -> None:
    expected = values(read_header("\n".join(good)))
    header = list(good)
    for at, line in bad:
        if line.startswith((" ", "-", "]")):  # lines that may belong to the key above
            at = 0
        header.insert(at, line)
    note = read_header("\n".join(header))
    check_sound(note)
    got = values(note)
    assert {key: got.get(key) for key in expected} == expected
    assert note.problems


def test_without_the_c_parser_the_answers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML can come without libyaml; then its pure Python parser reads."""
    import sys

    noted = {name: read_header(header) for name, (header, _) in GOOD_HEADERS.items()}
    broken = {name: read_header(case[0]) for name, case in BROKEN_HEADERS.items()}
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    nodes.load_parser.cache_clear()
    try:
        for name, (header, expected) in GOOD_HEADERS.items():
            again = read_header(header)
            assert values(again) == expected, name
            assert again.properties == noted[name].properties
        for name, case in BROKEN_HEADERS.items():
            assert values(read_header(case[0])) == values(broken[name]), name
    finally:
        nodes.load_parser.cache_clear()


def test_keys_are_compared_without_case_blanks_and_hyphens() -> None:
    assert {
        normalise_key(key) for key in ("Next Contact", "next-contact", "NEXT_CONTACT", " next_contact ")
    } == {"next_contact"}
