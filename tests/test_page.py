"""The agenda page: what a rep sees of an agenda, and that no note can do more on it than be read."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from notesync.followup.agenda import Totals
from notesync.followup.items import Agenda, Item
from notesync.problems import ERROR, Problem
from notesync.publish.page import SHOWN, load_part, render_closed, render_page

ADDRESS = "https://notes.example.org/feed/0123456789abcdef/followups.ics"
_NOTHING = Item(
    "Clients/Acme.md", 1, "Clients/Acme.md", "", "Thandi Mokoena", "Acme", ("Anna",), "contact", None,
    "Call about the worktop", "agreed", "", None, "2026-11-22", "due", 0, None, (), (), "", 20, 0, None, False,
    False, "uid", "prospect", "next-contact", (), (),
)  # fmt: skip


def make_item(**facts: Any) -> Item:
    return _NOTHING._replace(**facts)


def render(
    *items: Item, owner: str = "", problems: tuple[Problem, ...] = (), failure: str = "", view: str = ""
) -> str:
    agenda = Agenda("2026-11-22", list(items), Totals(0, 0, 0, 0, 0.0, "ZAR"), problems)
    return render_page(
        agenda, owner, [("anna", "Anna"), ("zoë & co", "Zoë & Co")], vault="My Clients", address=ADDRESS,
        refreshed=datetime(2026, 11, 22, 8, 5), failure=failure, view=view,
    )  # fmt: skip


class Outline(HTMLParser):
    """The page's elements, its text by heading, and whether every element that opens closes."""

    VOID = frozenset(("meta", "link", "path"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self._heading = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self._heading = data
        elif data.strip():
            self.sections[self._heading] = f"{self.sections.get(self._heading, '')} {' '.join(data.split())}"

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.tags if tag == "a"]


def test_each_item_stands_where_a_rep_looks_for_it() -> None:
    page = Outline(
        render(
            make_item(client="Late", status="overdue", due="2026-11-20", days_late=2, value=1000.0, client_path="L.md"),
            make_item(client="Now", client_path="N.md"),
            make_item(client="Hour", due="2026-11-22T14:30", client_path="H.md"),
            make_item(client="Soon", status="upcoming", due="2026-11-25", opens="2026-11-24", client_path="S.md"),
            make_item(client="Never", due=None, client_path="X.md"),
        )
    )  # fmt: skip
    assert list(page.sections) == ["", "Overdue", "Today", "This week", "Without a date"]
    assert "Late" in page.sections["Overdue"]
    assert "2 days late, was due Fri 20 Nov" in page.sections["Overdue"]
    assert "today 14:30" in page.sections["Today"]
    assert "Tue 24 Nov to Wed 25 Nov" in page.sections["This week"]
    assert "Never" in page.sections["Without a date"]
    for words in (
        "1 overdue",
        "3 due now",
        "1 this week",
        "1 000 ZAR at risk",
        "Last refreshed 2026-11-22 08:05",
    ):
        assert words in page.sections[""]
    assert {"#overdue", "#due", "#week"} < set(page.links())


def test_by_client_all_of_theirs_stands_together_from_a_to_z() -> None:
    page = Outline(
        render(
            make_item(client="zoë", status="overdue", due="2026-11-20", days_late=2, client_path="Z.md"),
            make_item(client="Anna", client_path="A.md", title="Call today"),
            make_item(client="zoë", status="upcoming", due="2026-11-25", client_path="Z.md", title="Visit"),
            make_item(client="Émile", client_path="E.md"),
            view="client",
        )
    )
    said = page.sections["Clients from A to Z"]
    assert said.count("zoë") == 1
    assert (
        said.index("Anna")
        < said.index("Émile")
        < said.index("zoë")
        < said.index("2 days late")
        < said.index("Visit")
    )
    assert {"/?by=client", "/?owner=anna&by=client", "/"} < set(page.links())
    assert not {"#overdue", "#due", "#week"} & set(page.links())


def test_of_thousands_the_most_pressing_are_shown_and_the_rest_is_counted() -> None:
    items = [make_item(client=f"Client {n:03}", client_path=f"{n}.md") for n in range(SHOWN + 7)]
    page = Outline(render(*items))
    assert "Client 199" in page.sections["Today"]
    assert "Client 200" not in page.sections["Today"]
    assert "And 7 more" in page.sections["Today"]
    assert f"{SHOWN + 7} due now" in page.sections[""]


@pytest.mark.parametrize(
    ("facts", "words"),
    [({"stale": True}, "last good reading"), ({"conflict": True}, "Only in a conflict copy"), ({}, "")],
)
def test_what_is_not_certain_is_said(facts: dict[str, bool], words: str) -> None:
    page = render(make_item(**facts))
    assert (words in page) if words else ('class="doubt"' not in page)


def test_one_clients_work_stands_together_with_what_to_know_before_the_call() -> None:
    page = Outline(
        render(
            make_item(
                best_time="after 17:00", contact_by=("call", "message"), not_by=("email",), ask=("Who decides?",),
            ),
            make_item(client="Other", client_path="O.md"),
            make_item(title="Send the photos", kind="task"),
        )
    )  # fmt: skip
    said = page.sections["Today"]
    assert said.count("Thandi Mokoena") == 1
    assert said.index("Send the photos") < said.index("Other")
    for words in ("after 17:00", "By call or message", "Not by email", "Who decides?", "task, 20 min"):
        assert words in said


@pytest.mark.parametrize(
    ("facts", "links"),
    [
        ({"phone": ("071 234 (5670)", "+27 21 555")}, ["tel:0712345670", "tel:+2721555"]),
        (
            {"phone": ("+27 (0)71 234 5670 x12", "021 555 1234 / 082 555 1234")},
            ["tel:+27712345670", "tel:0215551234"],
        ),
        (
            {"phone": ("line 2: (021) 555-1234", "+49 (0) 511 / 23 45 67", "(+27) 71 2345")},
            ["tel:0215551234", "tel:+49511234567", "tel:+27712345"],
        ),
        (
            {"phone": ("javascript:alert(1)", "+ 27 71\n9", "082 555 1234 or 071 234 5670")},
            ["tel:1", "tel:+27719", "tel:0825551234"],
        ),
        ({"phone": ("071",), "not_by": ("call",)}, []),
        ({"phone": ("071",), "not_by": ("call",), "contact_by": ("message",)}, ["sms:071"]),
        ({"phone": ("071",), "channel": "message"}, ["tel:071", "sms:071"]),
        ({"phone": ("071",), "channel": "message", "not_by": ("message",)}, ["tel:071"]),
        ({"phone": ("ask at reception",)}, []),
        ({"email": ("a+b&c?d@x.example",)}, ["mailto:a%2Bb%26c%3Fd@x.example"]),
        ({"email": ("a@x.example",), "not_by": ("email",)}, []),
        (
            {"address": "17 Long Street,\nCape Town & sea"},
            [
                "https://www.google.com/maps/search/?api=1&query=17%20Long%20Street%2C%20Cape%20Town%20%26%20sea"
            ],
        ),
    ],
)
def test_how_a_client_is_reached(facts: dict[str, Any], links: list[str]) -> None:
    note = "obsidian://open?vault=My%20Clients&file=Clients%2FAcme"
    found = [link for link in Outline(render(make_item(**facts))).links() if not link.startswith(("/", "#"))]
    assert found == [*links, note, ADDRESS.replace("https:", "webcal:"), ADDRESS]


@pytest.mark.parametrize(
    ("wishes", "order"),
    [
        ((), ["tel:071", "mailto:a@x.example", "https://www.google.com/maps/search/?api=1&query=here"]),
        (("email", "call"), ["mailto:a@x.example", "tel:071", "https://www.google.com/maps/search/?api=1&query=here"]),
        (("visit",), ["https://www.google.com/maps/search/?api=1&query=here", "tel:071", "mailto:a@x.example"]),
    ],
)  # fmt: skip
def test_the_way_that_a_client_likes_best_comes_first(wishes: tuple[str, ...], order: list[str]) -> None:
    page = Outline(
        render(make_item(contact_by=wishes, phone=("071",), email=("a@x.example",), address="here"))
    )
    links = [attributes for tag, attributes in page.tags if tag == "a"]
    first = next(at for at, link in enumerate(links) if link["href"] == order[0])
    assert [link["href"] for link in links[first : first + 3]] == order
    assert [link.get("class") for link in links[first : first + 3]] == ["primary", None, None]


def test_a_day_is_not_said_twice() -> None:
    assert "due Fri 20 Nov 2026" not in render(make_item(due="2026-11-20", reason="due Fri 20 Nov 2026"))
    assert "due Thu 19 Nov 2026" in render(make_item(due="2026-11-20", reason="due Thu 19 Nov 2026"))


def test_the_page_of_an_owner() -> None:
    items = (
        make_item(),
        make_item(client="Ben's", owner=("Ben",)),
        make_item(client="Both", owner=("Ben", "ANNA"), client_path="B.md"),
    )
    page = render(*items, owner="anna")
    assert "Ben&#39;s" not in page
    assert "Both" in page
    assert '<a href="/?owner=anna" aria-current="page">Anna</a>' in page
    assert '<a href="/?owner=zo%C3%AB%20%26%20co">Zoë &amp; Co</a>' in page


def test_what_is_read_out_of_a_link_begins_with_what_is_shown() -> None:
    page = render(make_item(phone=("071",), email=("a@x.example",), address="Long Street", channel="message"))
    links = re.findall(r'aria-label="([^"]*)">([^<]*)</a>', page)
    assert len(links) == 5
    assert all(label.startswith(f"{shown}: ") and "Thandi Mokoena" in label for label, shown in links)


def test_nothing_to_do_is_said() -> None:
    assert "Nothing overdue, and nothing in the next seven days." in render()
    assert "Nothing overdue" not in render(make_item())


def test_problems_and_failures_are_seen() -> None:
    problems = tuple(
        Problem("Clients/A.md", line, 1, "bad-date", ERROR, "This is no date.", "Write 2026-11-25.")
        for line in range(1, 26)
    )
    page = render(problems=problems, failure="the drive <is> away")
    assert "Clients/A.md:3: This is no date. Write 2026-11-25." in page
    assert "Clients/A.md:21:" not in page
    assert "And 5 more" in page
    assert "Not current: the drive &lt;is&gt; away" in page


AWKWARD = "</bdi><script>alert(1)</script>\" onload='x' {{ 7*7 }} {% raw %} \x00\x1b[31m\u202e\udcff\u2028 javascript:x"


def test_no_text_of_a_note_is_more_than_text() -> None:
    texts = dict.fromkeys(
        ("client", "company", "title", "reason", "best_time", "address", "client_path", "kind"), AWKWARD
    )
    lists = dict.fromkeys(("phone", "email", "contact_by", "ask"), (AWKWARD,))
    problem = Problem(AWKWARD, 1, 1, "x", ERROR, AWKWARD, AWKWARD)
    plain, page = Outline(render(make_item(address="x", company="x", reason="x", best_time="x", phone=("1",),
        email=("x",), contact_by=("x",), ask=("x",)), problems=(problem,))), render(
        make_item(**texts, **lists, owner=("Anna",)), problems=(problem,)
    )  # fmt: skip
    awkward = Outline(page)
    assert [tag for tag, _ in awkward.tags] == [tag for tag, _ in plain.tags]
    assert [set(attributes) for _, attributes in awkward.tags] == [set(each) for _, each in plain.tags]
    assert page.encode("utf-8")
    assert not set(page) & {"\x00", "\x1b", "\u202e", "\u2028"}
    schemes = ("/", "#", "tel:", "mailto:", "https://", "obsidian://open?", "webcal://")
    assert all(link.startswith(schemes) for link in awkward.links())


@pytest.mark.parametrize("page", [render(make_item()), render_closed()], ids=["agenda", "closed"])
def test_pages_ask_nobody_else_and_hold_no_script_or_style_of_their_own(page: str) -> None:
    outline = Outline(page)
    assert page.startswith("<!doctype html>")
    for tag, attributes in outline.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert tag != "style"
        assert tag not in ("script", "link", "img") or (
            attributes.get("src") or attributes.get("href") or ""
        ).startswith(("/page.", "/icon."))
    identities = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    assert re.search(r'<html lang="en">', page)


def test_the_code_to_scan_is_drawn_for_the_feed() -> None:
    page = render()
    assert page.count("<svg") == 1
    assert "QR code of the calendar&#39;s address" in page or "QR code of the calendar's address" in page


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_style_and_script_come_along(name: str) -> None:
    assert load_part(name)
