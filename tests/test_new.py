"""``new``: what somebody calls a client, then the note that comes of it."""

from __future__ import annotations

import os
import unicodedata
from datetime import datetime
from pathlib import Path

import pytest
from commands import run, write
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from notesync.followup.client import is_client, read_client
from notesync.followup.duplicates import find_likely
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.file_name import LONGEST, build_stem, find_stems
from notesync.notes.note import parse_note
from notesync.problems import UsageError
from notesync.store.writing import fold
from notesync.sync import new_client, pipeline
from notesync.sync.new_client import Told, build_id, clean_name, plan_client

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


pytestmark = pytest.mark.usefixtures("own_places")


@pytest.fixture
def vault(quick_path, monkeypatch):
    """An empty vault with settings, where we are."""
    root = quick_path / "vault"
    root.mkdir()
    (root / "notesync.yaml").write_text("timezone: Africa/Johannesburg\n", encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def read(root, path, known=None):
    note = parse_note((root / path).read_bytes(), path)
    found = known or Settings()
    assert is_client(note, found)
    client, problems = read_client(note, parse_body(note, found.log_headings), found)
    assert not problems
    return client


# --- File names ------------------------------------------------------------------------------------------

NAMES = [
    pytest.param("Anna Smit", "Anna Smit", id="as it is"),
    pytest.param("a/b", "a-b", id="a slash"),
    pytest.param("AC/DC: live", "AC-DC - live", id="a colon and a blank"),
    pytest.param('The "Best" <Co>?', "The 'Best' Co", id="quotes and brackets"),
    pytest.param("#1 [Plumbers]^2", "1 Plumbers 2", id="what a link cannot hold"),
    pytest.param("100% Pure", "100 Pure", id="percent, which hides words in Obsidian when doubled"),
    pytest.param("Smit & Sons Ltd.", "Smit & Sons Ltd", id="a trailing dot"),
    pytest.param("Acme . .. ", "Acme", id="trailing dots and blanks"),
    pytest.param("...hidden", "hidden", id="leading dots"),
    pytest.param("~$lock", "$lock", id="a lock file's beginning"),
    pytest.param("CON", "CON_", id="a device"),
    pytest.param("con.sulting", "con_.sulting", id="a device with an ending"),
    pytest.param("Com1 .x", "Com1_ .x", id="a device and a blank"),
    pytest.param("LPT\u00b9", "LPT\u00b9_", id="a device with a superscript"),
    pytest.param("Connie", "Connie", id="no device"),
    pytest.param("Console", "Console", id="begins like a device"),
    pytest.param("Jose\u0301 Mu\u0308ller", "Jos\u00e9 M\u00fcller", id="accents taken apart"),
    pytest.param("يوسف الحداد", "يوسف الحداد", id="right to left"),
    pytest.param("\u202eevil", "evil", id="a sign that turns the line round"),
    pytest.param("陳美玲", "陳美玲", id="Chinese"),
    pytest.param("Pretty Things 🌸", "Pretty Things 🌸", id="an emoji"),
    pytest.param("a" * 300, "a" * 120, id="300 letters"),
    pytest.param("é" * 300, "é" * 60, id="300 letters of two bytes"),
    pytest.param(FAMILY * 20, FAMILY * 6, id="a family is not cut apart"),
    pytest.param("x" * 119 + "e\u0323\u0302", "x" * 119, id="accents stay with their letter"),
    pytest.param("a\tb\nc\x07d", "a b c d", id="controls"),
    pytest.param("a\u2028b", "a b", id="a line's end that editors differ about"),
    pytest.param("Readme.md", "Readme", id="ends like a note"),
    pytest.param("x.MD.md", "x", id="ends so twice"),
    pytest.param("2026-11-25", "Client 2026-11-25", id="a daily note's name"),
    pytest.param("???", "Client", id="nothing is left"),
    pytest.param("\u200b", "Client", id="nothing to be seen"),
    pytest.param("..md.md", "md", id="nothing but endings"),
]


@pytest.mark.parametrize(("name", "stem"), NAMES)
def test_a_name_becomes_a_file_name_that_every_system_takes(name, stem):
    assert build_stem(name) == stem


def is_legal(stem: str) -> bool:
    """What Windows, macOS, Linux, sync programs and links ask of a file's name."""
    devices = {"con", "prn", "aux", "nul", "conin$", "conout$"}
    devices |= {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
    return (
        bool(stem)
        and not set(stem) & set('<>:"/\\|?*#^[]')
        and all(unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") for sign in stem)
        and stem == stem.strip()
        and stem[0] not in ".~"
        and stem[-1] not in ". "
        and stem.partition(".")[0].strip().casefold() not in devices
        and not stem.lower().endswith(".md")
        and len(f"{stem}.md".encode()) <= 255
        and unicodedata.is_normalized("NFC", stem)
    )


awkward = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(' ./\\:*?"<>|#^[]~$%-_\u0301\u200d\u202e\ufeffCONaux1{}<%'),
    ),
    max_size=60,
)


@given(awkward, awkward)
@example("con", "aux")
@example("[[x]]", "")
@example("x" * 400, "y" * 400)
@example("\u1100" * 80, "")
def test_any_name_gives_legal_and_different_file_names(name, company):
    stems = [stem for stem, _ in zip(find_stems(name, company), range(4), strict=False)]
    assert all(is_legal(stem) for stem in stems)
    assert all(len(stem.encode()) <= LONGEST for stem in stems)
    assert len(set(map(fold, stems))) == 4
    assert build_stem(stems[0]) == stems[0]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A vault of three clients, for many plans."""
    root = tmp_path_factory.mktemp("plans")
    for name in ("Anna Smit", "CON_", "é"):
        write(root, f"Clients/{name}.md", "---\ntype: client\n---\n")
    moment = pipeline.Moment(datetime(2026, 11, 22).date(), 0)
    with pipeline.open_workspace(str(root), lambda _: moment, cache=str(root / ".cache")) as opened:
        opened.refresh()
        yield opened


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(awkward, awkward, st.binary(min_size=10, max_size=10))
@example("null", "~", bytes(10))
@example("[[a]] and [[b|c]]", "[[d]]", bytes(10))
@example("[[[[a]]]]", "", bytes(10))
@example("{{title}} <% x %>", "{{date}}", bytes(10))
@example("ANNA SMIT", "x: y", bytes(10))
def test_any_name_gives_a_note_that_reads_back_as_that_client(workspace, name, company, random):
    try:
        wanted = clean_name(name)
    except UsageError:
        assert not "".join(name.split()) or "\0" in name or not "".join(clean_signs(name).split())
        return
    if "\0" in company:
        return
    planned = plan_client(workspace, Told(name, company.strip()), random)
    folder, _, file = planned.path.rpartition("/")
    assert folder == "Clients"
    assert is_legal(file.removesuffix(".md"))
    assert fold(file) not in map(fold, os.listdir(workspace.vault.absolute(folder)))
    note = parse_note(planned.note.data, planned.path)
    assert not note.problems
    client, problems = read_client(note, parse_body(note), Settings())
    assert is_client(note, Settings())
    assert (client.name, client.id, problems) == (wanted, build_id(random), ())
    assert clean_name(wanted) == wanted


def clean_signs(name):
    """Without what is no word: brackets of links, controls."""
    return "".join(
        " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign in "![]|#" else sign for sign in name
    )


# --- The command -----------------------------------------------------------------------------------------


def test_a_new_client_in_an_empty_vault(vault):
    done = run("new", "Anna Smit", "--company", "Baobab", "--phone", "0712345670", "--next", "2099-11-25")
    assert done.stdout == "Clients/Anna Smit.md: made. Next: Contact as agreed, Wed 25 Nov 2099\n"
    assert (done.stderr, done.exit_code) == ("", 0)
    text = (vault / "Clients/Anna Smit.md").read_text(encoding="utf-8")
    client = read(vault, "Clients/Anna Smit.md")
    assert text.startswith(
        f'---\ntype: client\nid: {client.id}\ncompany: Baobab\nrole:\nemail:\nphone: "0712345670"\n'
    )
    assert "\nname:" not in text
    assert text.endswith("\n---\n\n## Log\n")
    assert (client.name, client.phones, client.created) != ("", (), None)
    assert len(client.id) == 10
    assert client.id[0].isalpha()
    assert run("check", "Anna").exit_code == 0


def test_several_numbers_are_a_list_and_a_time_is_kept(vault):
    done = run(
        "new", "Anna", "--phone", "071 234 5670", "--phone", "+27 11 555 0100", "--next", "2099-11-25 14:30"
    )
    assert done.exit_code == 0, done.stderr
    client = read(vault, "Clients/Anna.md")
    assert client.phones == ("071 234 5670", "+27 11 555 0100")
    assert (client.next_contact.day.isoformat(), client.next_contact.minute) == ("2099-11-25", 870)


def test_a_name_that_no_file_can_have_stands_in_the_note(vault):
    done = run("new", "AC/DC: live.")
    assert done.stdout.startswith("Clients/AC-DC - live.md: made. ")
    assert read(vault, "Clients/AC-DC - live.md").name == "AC/DC: live."
    assert run("show", "AC/DC: live.").exit_code == 0


def test_a_taken_name_gets_the_company_then_a_number(vault):
    words = [
        ("Anna Smit",),
        ("anna smit", "--company", "AC/DC"),
        ("Anna Smit", "--company", "ac-dc"),
        ("ANNA SMIT",),
    ]
    for each in words:
        assert run("new", *each).exit_code == 0
    assert sorted(os.listdir(vault / "Clients")) == [
        "ANNA SMIT no. 2.md", "Anna Smit (ac-dc) no. 2.md", "Anna Smit.md", "anna smit (AC-DC).md",
    ]  # fmt: skip
    assert read(vault, "Clients/ANNA SMIT no. 2.md").name == "ANNA SMIT"


def test_a_name_is_taken_whatever_its_accents_are_made_of_and_wherever_the_note_is(vault):
    write(vault, "Clients/Jose\u0301.md", "somebody's note")
    write(vault, "Clients/Old/Zoë.md", "---\ntype: client\n---\n")
    assert run("new", "José", "--folder", "Clients").stdout.startswith("Clients/José no. 2.md: made")
    assert run("new", "Zoë", "--folder", "Clients").stdout.startswith("Clients/Zoë no. 2.md: made")
    assert (vault / "Clients/Jose\u0301.md").read_text() == "somebody's note"


@pytest.mark.parametrize(
    ("notes", "folder"),
    [
        pytest.param([], "Clients", id="no client yet"),
        pytest.param(["People/a", "People/b", "Clients/c"], "People", id="where most are"),
        pytest.param(["a", "b", "Clients/c"], "", id="at the root"),
        pytest.param(["B/a", "A/b"], "A", id="as many: the first"),
    ],
)
def test_the_note_goes_where_most_clients_are(vault, notes, folder):
    for path in notes:
        write(vault, f"{path}.md", "---\ntype: client\n---\n")
    assert run("new", "Anna").exit_code == 0
    assert (vault / folder / "Anna.md").exists()


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        pytest.param("Clients/Leads", "", id="a new one in an old one"),
        pytest.param("clients/Leads/", "", id="another case"),
        pytest.param(".", "", id="the root"),
        pytest.param("../other", "bad-folder", id="outside"),
        pytest.param("/tmp", "bad-folder", id="elsewhere"),
        pytest.param("a:b", "bad-folder", id="not on Windows"),
        pytest.param("nul", "bad-folder", id="a device"),
        pytest.param("Archive/x", "ignored-folder", id="an ignored one"),
        pytest.param(".obsidian", "bad-folder", id="a hidden one"),
        pytest.param("node_modules", "ignored-folder", id="one that is never read"),
    ],
)
def test_a_folder_of_ones_own(vault, folder, code):
    write(vault, "notesync.yaml", "ignore: [Archive/]\n")
    write(vault, "Clients/Zoë.md", "---\ntype: client\n---\n")
    before = sorted(vault.rglob("*"))
    done = run("new", "Anna", "--folder", folder)
    if code:
        assert done.stderr.startswith(f"Error: {code}: ")
        assert (done.exit_code, sorted(vault.rglob("*"))) == (2, before)
    else:
        assert done.exit_code == 0, done.stderr
        place = Path(folder.replace("clients", "Clients")) / "Anna.md"
        assert (vault / place).exists()
        assert [name for name in os.listdir(vault) if name.casefold() == "clients"] == ["Clients"]


def test_an_existing_hidden_folder_is_refused(vault):
    (vault / ".obsidian").mkdir()
    done = run("new", "Anna", "--folder", ".obsidian")
    assert done.stderr.startswith("Error: ignored-folder: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param((" ",), "no-name", id="no name"),
        pytest.param(("[[ ]]",), "no-name", id="an empty link"),
        pytest.param(("Anna", "--next", "25/11/2026"), "bad-when", id="a date to guess at"),
        pytest.param(("Anna", "--next", "2020-11-25"), "bad-when", id="a day that is over"),
        pytest.param(("Anna", "--next", "soon"), "bad-when", id="no date"),
        pytest.param(("a\ud800b",), "unwritable-text", id="half a character"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(vault, words, code):
    done = run("new", *words)
    assert done.stderr.startswith(f"Error: {code}: ")
    assert (done.exit_code, os.listdir(vault)) == (2, ["notesync.yaml"])


def test_a_dry_run_shows_the_note_and_writes_nothing(vault):
    done = run("new", "Anna", "--next", "2099-11-25", "--dry-run")
    assert done.stdout.startswith("--- /dev/null\n+++ b/Clients/Anna.md\n@@ -0,0 +1,")
    assert "\n+next_contact: 2099-11-25\n" in done.stdout
    assert (done.exit_code, os.listdir(vault)) == (0, ["notesync.yaml"])


def test_a_dry_run_puts_nothing_on_the_terminal_that_it_obeys(vault):
    done = run("new", "x\x1b[2Jy", "--company", "a\x9bb", "--dry-run")
    assert "\x1b" not in done.stdout
    assert "\x9b" not in done.stdout


def test_nobody_means_a_folder_that_is_no_vault(quick_path, monkeypatch):
    monkeypatch.chdir(quick_path)
    done = run("new", "Anna")
    assert done.stderr.startswith("Error: no-vault: ")
    assert (done.exit_code, os.listdir(quick_path)) == (2, ["home"])
    (quick_path / "elsewhere").mkdir()
    assert run("new", "Anna", "--vault", "elsewhere").exit_code == 0


def test_the_new_note_can_be_taken_back(vault):
    run("new", "Anna")
    assert run("undo").stdout == "Taken back: new Anna (Clients/Anna.md)\n"
    assert os.listdir(vault / "Clients") == []


# --- Clients who may be the same -------------------------------------------------------------------------


def test_who_shares_a_name_a_number_or_an_address_is_named(vault):
    write(vault, "A.md", "---\ntype: client\ncompany: Acme\nphone: 071 234 5670\n---\n")
    write(vault, "B.md", "---\ntype: client\nname: Anna Smit\n---\n")
    write(vault, "C.md", "---\ntype: client\nemail: [x@y.org, A@B.org]\n---\n")
    write(vault, "D.md", "---\ntype: client\nphone: 071 234 5671\n---\n")
    done = run("new", "ánna smit", "--phone", "+27 (71) 234-5670", "--email", "a@b.ORG")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "Mind: A.md has the same 071 234 5670: A (Acme).",
        "Mind: B.md has the same name: Anna Smit.",
        "Mind: C.md has the same A@B.org: C.",
        "If that is the same client, 'notesync undo' takes the new note back.",
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("071 234 5670", "0712345670", True, id="blanks"),
        pytest.param("+27 71 234 5670", "071 234 5670", True, id="with and without the country"),
        pytest.param("0027712345670", "+27712345670", True, id="two ways to write the country"),
        pytest.param("(0)71-234.5670 (reception)", "071 234 5670", True, id="with words"),
        pytest.param("555 123", "555123", True, id="a short one"),
        pytest.param("555 123", "021 555 123", False, id="a short one, and an area's"),
        pytest.param("ext. 12", "ext. 12", False, id="an extension"),
        pytest.param("071 234 5670 / 011 555 0100", "011 555 0100", True, id="two in one"),
        pytest.param("ask reception", "ask reception", False, id="no number"),
    ],
)
def test_when_phone_numbers_are_the_same(quick_path, one, other, same):
    write(quick_path, "a.md", f"---\ntype: client\nphone: '{one}'\n---\n")
    moment = pipeline.Moment(datetime(2026, 11, 22).date(), 0)
    with pipeline.open_workspace(
        str(quick_path), lambda _: moment, cache=str(quick_path / ".cache")
    ) as opened:
        opened.refresh()
        found = list(find_likely("b", (other,), (), opened.cards(pipeline.Selection())))
    assert [each.path for each in found] == (["a.md"] if same else [])


# --- Templates -------------------------------------------------------------------------------------------

OWN = '---\ntype: client\nname: "{{title}}"\nid:\nphone: \ncreated: {{date}} # at first\n---\n# {{title}}, {{date}}\n'


def test_the_vaults_own_template_is_filled_and_kept(vault):
    write(vault, ".obsidian/templates.json", '{"folder": "Vorlagen/", "dateFormat": "D MMM YYYY"}')
    write(vault, "Vorlagen/Client.md", OWN.replace("\n", "\r\n") + "\r\n## Log\r\n")
    write(vault, "Vorlagen/Meeting.md", "---\ntype: meeting\n---\n")
    done = run("new", "A: B", "--phone", "071")
    assert done.stdout.startswith("Clients/A - B.md: made from Vorlagen/Client.md. ")
    data = (vault / "Clients/A - B.md").read_bytes().decode()
    assert data.count("\n") == data.count("\r\n") == OWN.count("\n") + 2
    assert data.startswith('---\r\ntype: client\r\nname: "A: B"\r\nid: ')
    assert "\r\nphone: 071 \r\n" in data or '\r\nphone: "071"' in data
    assert "\r\n# A - B, " in data


def test_templates_folder_without_obsidian(vault):
    write(vault, "Templates/Client.md", OWN)
    assert "made from Templates/Client.md." in run("new", "Anna").stdout


def test_a_template_of_another_name_that_makes_a_client(vault):
    write(vault, ".obs/app.json", "{}")
    write(vault, ".obs/core-plugins.json", "{}")
    write(vault, ".obs/templates.json", '{"folder": "T"}')
    write(vault, "T/Aaa.md", "---\ntype: book\ncreated: {{date}}\n---\n")
    write(vault, "T/Deep/Lead.md", "---\ntype: client\nstage: lead\ncreated: {{date}}\n---\n")
    assert "made from T/Deep/Lead.md." in run("new", "Anna", "--folder", "Clients").stdout
    assert read(vault, "Clients/Anna.md").stage == "lead"


def test_a_template_without_a_type_becomes_a_clients(vault):
    write(vault, "Templates/Client.md", "# {{title}}\n")
    assert "made from Templates/Client.md." in run("new", "Anna").stdout
    text = (vault / "Clients/Anna.md").read_text()
    assert text == f"---\ntype: client\nid: {read(vault, 'Clients/Anna.md').id}\n---\n# Anna\n"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        pytest.param(
            "---\ntype: client\n---\n<% tp.date.now() %>\n", "Templater", id="Templater in the body"
        ),
        pytest.param(
            "---\ntype: client\nd: <% tp.date.now() %>\n---\n", "Templater", id="Templater in the header"
        ),
        pytest.param("---\ntype: client\nd: '{{VALUE}}'\n---\n", "bad-template", id="another plugin's words"),
    ],
)
def test_a_template_for_a_plugin_is_not_executed(vault, template, why):
    write(vault, "Templates/Client.md", template)
    done = run("new", "Anna")
    assert done.stdout.startswith("Clients/Anna.md: made. ")
    assert why in done.stderr
    assert done.stderr.endswith("The built-in template was used.\n")
    assert "<%" not in (vault / "Clients/Anna.md").read_text()


def test_a_template_of_another_type_is_left_alone(vault):
    write(vault, "Templates/Client.md", "---\ntype: invoice\nfor: '{{title}}'\n---\n")
    assert run("new", "Anna").stdout.startswith("Clients/Anna.md: made. ")


def test_a_templates_folder_outside_the_vault_is_not_read(vault):
    write(vault.parent, "secret/Client.md", "---\ntype: client\nnotes: secret\n---\n")
    write(vault, ".obsidian/templates.json", '{"folder": "../secret"}')
    assert run("new", "Anna").stdout.startswith("Clients/Anna.md: made. ")


def test_an_id_of_the_template_is_kept_once(vault):
    write(vault, "Templates/Client.md", "---\ntype: client\nid: mine\n---\n")
    run("new", "Anna")
    run("new", "Ben")
    assert read(vault, "Clients/Anna.md").id == "mine"
    assert read(vault, "Clients/Ben.md").id not in ("", "mine")


def test_a_vault_with_names_of_its_own(vault):
    config = "fields: {type: Kind, next_contact: Follow-up, phone: Tel}\nlog_headings: [Kontakte]\n"
    write(vault, "notesync.yaml", config)
    assert run("new", "Anna", "--phone", "071 234 5670", "--next", "2099-11-25").exit_code == 0
    text = (vault / "Clients/Anna.md").read_text()
    assert "\nTel: 071 234 5670\n" in text
    assert "\nFollow-up: 2099-11-25\n" in text
    assert text.startswith("---\nKind: client\n")
    assert text.endswith("## Kontakte\n")
    assert run("check", "--all").stdout.startswith("Clients/Anna.md:")


def test_ids_have_a_letter_first_and_no_signs_that_look_alike():
    assert build_id(bytes(10)) == "a000000000"
    assert build_id(bytes([255] * 10)) == "qzzzzzzzzz"
    assert not set("ilou") & set(new_client._SIGNS)
