"""Whom somebody means: the words typed, then the clients they name."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesync.followup.matching import find_clients, find_nearest, fold


class Known(NamedTuple):
    path: str
    client_id: str = ""
    name: str = ""
    company: str = ""
    aliases: tuple[str, ...] = ()


CLIENTS = [
    Known("Clients/Thandi Mokoena.md", "", "Thandi Mokoena", "Baobab Books"),
    Known("Clients/Thandi Nkosi.md", "tn-1", "Thandi Nkosi", "Nkosi & Daughters"),
    Known("Clients/Zoë Müller-Fouché.md", "", "Zoë Müller-Fouché", "Société Générale Café"),
    Known("Clients/acme.md", "", "Acme", "", ("the tin men",)),
    Known("Clients/Jan.md", "7f", "Jan Smit", "Acme"),
    Known("Old/Jan.md", "7g", "Jan de Wet", "Acme"),
    Known("Clients/陳美玲.md", "", "陳美玲", "美玲茶行"),
    Known("Clients/obrien.md", "", "Síle O'Brien", "Østergård & Łuków"),
    Known("Clients/odd.md", "", "!!!", "?"),
]


def paths(wanted: str) -> list[str]:
    return [client.path for client in find_clients(wanted, CLIENTS)]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        pytest.param("tn-1", "Clients/Thandi Nkosi.md", id="an id"),
        pytest.param("7F", "Clients/Jan.md", id="an id in capitals"),
        pytest.param("Clients/Jan.md", "Clients/Jan.md", id="a path, where the file's name alone has a twin"),
        pytest.param("Old/Jan", "Old/Jan.md", id="a path without its ending"),
        pytest.param(
            "./clients/JAN.md", "Clients/Jan.md", id="a path as a shell completes it, other capitals"
        ),
        pytest.param("/home/me/vault/Old/Jan.md", "Old/Jan.md", id="a path from the root of the disk"),
        pytest.param(r"Old\Jan.md", "Old/Jan.md", id="a path as Windows writes it"),
        pytest.param("Thandi Mokoena", "Clients/Thandi Mokoena.md", id="a name"),
        pytest.param("mokoena thandi", "Clients/Thandi Mokoena.md", id="its words in another order"),
        pytest.param("THANDI MOKOENA", "Clients/Thandi Mokoena.md", id="capitals"),
        pytest.param("  thandi   mokoena ", "Clients/Thandi Mokoena.md", id="blanks"),
        pytest.param("zoe muller fouche", "Clients/Zoë Müller-Fouché.md", id="without accents and hyphen"),
        pytest.param("Zoe\u0308", "Clients/Zoë Müller-Fouché.md", id="accents as macOS writes them"),
        pytest.param("societe generale", "Clients/Zoë Müller-Fouché.md", id="a company in part"),
        pytest.param("The Tin Men", "Clients/acme.md", id="an alias"),
        pytest.param("tin", "Clients/acme.md", id="a word of an alias"),
        pytest.param("obrien", "Clients/obrien.md", id="a file's name"),
        pytest.param("sile o’brien", "Clients/obrien.md", id="another apostrophe"),
        pytest.param("ostergard lukow", "Clients/obrien.md", id="letters that no normal form takes apart"),
        pytest.param("books thandi", "Clients/Thandi Mokoena.md", id="company and name together"),
        pytest.param("moko", "Clients/Thandi Mokoena.md", id="a part of a word"),
        pytest.param("美玲茶", "Clients/陳美玲.md", id="a part of a name that has no blanks"),
        pytest.param("!!!", "Clients/odd.md", id="a name of marks alone"),
        pytest.param("Acme", "Clients/acme.md", id="a name before others' company"),
    ],
)
def test_words_name_one_client(wanted: str, meant: str) -> None:
    assert paths(wanted) == [meant]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        pytest.param("thandi", ["Clients/Thandi Mokoena.md", "Clients/Thandi Nkosi.md"], id="a first name"),
        pytest.param("Jan", ["Clients/Jan.md", "Old/Jan.md"], id="a file's name in two folders"),
        pytest.param("jan acme", ["Clients/Jan.md", "Old/Jan.md"], id="two of one company"),
    ],
)
def test_words_name_several_clients(wanted: str, meant: list[str]) -> None:
    assert paths(wanted) == meant


@pytest.mark.parametrize("wanted", ["Thandy", "Baobab Looks", "thandi acme", "", "  ", "-"])
def test_words_name_nobody(wanted: str) -> None:
    assert paths(wanted) == []


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        ("Thandy Mokena", "Clients/Thandi Mokoena.md"),
        ("mokena", "Clients/Thandi Mokoena.md"),
        ("Nkossi", "Clients/Thandi Nkosi.md"),
        ("the tim men", "Clients/acme.md"),
        ("Baobab Looks", "Clients/Thandi Mokoena.md"),
    ],
)
def test_the_nearest_is_suggested(wanted: str, nearest: str) -> None:
    assert find_nearest(wanted, CLIENTS)[0].path == nearest


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    assert find_nearest("xqzv", CLIENTS) == []


@pytest.mark.parametrize("wanted", ["", " ", "\t"])
def test_nobody_is_near_to_no_name(wanted: str) -> None:
    assert find_nearest(wanted, CLIENTS) == []  # although some have no company


def test_the_suggestions_are_few() -> None:
    many = [Known(f"{n}.md", "", f"Client {n}", "") for n in range(50)]
    assert len(find_nearest("Clent", many)) == 3


@given(st.text(), st.text())
def test_any_text_can_be_asked_for_and_be_a_name(wanted: str, name: str) -> None:
    known = [Known("a.md", "", name, ""), Known("b.md", "x", "B", name, (name,))]
    assert set(find_clients(wanted, known)) <= set(known)
    assert set(find_nearest(wanted, known)) <= set(known)


@given(st.text())
def test_a_name_names_its_client(name: str) -> None:
    known = Known("a.md", "", name, "")
    if name.strip():
        assert find_clients(name, [known]) == [known]
    assert fold(fold(name)) == fold(name)
