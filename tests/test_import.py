"""``import`` and ``export --format``: a file and a vault, then the notes that come of it."""

from __future__ import annotations

import base64
import json

import commands
import pytest
from commands import write as note
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notesync.followup.client import is_client, read_client
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note
from notesync.sync import importing

pytestmark = pytest.mark.usefixtures("own_places")


@pytest.fixture
def vault(quick_path, monkeypatch):
    """An empty vault with settings, where we are; the files to import stand beside it."""
    return make_vault(quick_path / "vault", monkeypatch)


def make_vault(root, monkeypatch):
    root.mkdir(parents=True)
    (root / "notesync.yaml").write_text("timezone: Africa/Johannesburg\n", encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def run(*words, code=0):
    done = commands.run(*words)
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


def write(vault, name, text):
    place = vault.parent / name
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return place


def listed(vault):
    return sorted(place.relative_to(vault).as_posix() for place in vault.rglob("*.md"))


def contents(vault):
    return {path: (vault / path).read_bytes() for path in listed(vault)}


def client(vault, path):
    found = parse_note((vault / path).read_bytes(), path)
    assert is_client(found, Settings())
    read, problems = read_client(found, parse_body(found), Settings())
    assert not problems
    return read


def card(*lines):
    return "\r\n".join(("BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""))


ANNA = card(
    "UID:a-1", "FN:Anna Smit", "ORG:Acme", "EMAIL:anna@example.com", "TEL:088 555 0112", "NOTE:Likes tea"
)
PNG = base64.b64encode(b"\x89PNG").decode()


def notebook(*notes):
    return f"<en-export>{''.join(f'<note>{each}</note>' for each in notes)}</en-export>"


# --- What is made ----------------------------------------------------------------------------------------


def test_a_card_becomes_a_client(vault):
    done = run("import", write(vault, "book.vcf", ANNA))
    assert done.stdout == "book.vcf: 1 record: 1 new\n"
    anna = client(vault, "Clients/Anna Smit.md")
    assert (anna.id, anna.company, anna.emails, anna.phones) == (
        "a-1", "Acme", ("anna@example.com",), ("088 555 0112",),
    )  # fmt: skip
    assert (vault / "Clients/Anna Smit.md").read_text(encoding="utf-8").endswith("---\n\nLikes tea\n")


def test_a_dry_run_shows_a_table_and_writes_nothing(vault):
    note(vault, "Clients/Ben.md", "---\ntype: client\n---\n")
    done = run("import", write(vault, "book.vcf", ANNA + card("FN:Ben")), "--dry-run")
    assert [line.split()[:3] for line in done.stdout.split("\n")[1:3]] == [
        ["1", "new", "Anna"],
        ["10", "there", "Ben"],
    ]
    assert done.stdout.endswith("(nothing was written)\n")
    assert listed(vault) == ["Clients/Ben.md"]


def test_an_import_is_taken_back_with_undo(vault):
    run("import", write(vault, "book.vcf", ANNA))
    run("undo")
    assert listed(vault) == []


def test_taking_back_the_import_of_nearly_all_clients_is_no_loss_of_them(vault):
    run("import", write(vault, "book.vcf", "".join(card(f"FN:Anna {number}") for number in range(12))))
    done = run("undo")
    assert done.stdout.startswith("Taken back: import book.vcf (Clients/Anna 11.md, ")
    assert done.stdout.endswith(" and 2 more)\n")
    assert listed(vault) == []
    assert run("clients", "--format", "json").stdout.count('"path"') == 0


def test_an_import_of_any_size_is_taken_back_whole_but_for_what_was_changed_since(vault, monkeypatch):
    monkeypatch.setattr("notesync.sync.importing.NOTES_AT_ONCE", 2)
    people = "".join(card(f"FN:Anna {letter}") for letter in "ABCDE")
    file = write(vault, "book.vcf", people + card("FN:Anna A", "EMAIL:a@b.c"))
    run("import", file, "--update")
    made = contents(vault)
    assert len(made) == 5
    (vault / "Clients/Anna B.md").write_bytes(made["Clients/Anna B.md"] + b"Met her.\n")
    done = run("undo")
    assert listed(vault) == ["Clients/Anna B.md"]
    assert "Clients/Anna B.md" in done.stderr
    run("undo")
    assert contents(vault) == made | {"Clients/Anna B.md": made["Clients/Anna B.md"] + b"Met her.\n"}


def test_names_that_no_system_takes_become_files(vault):
    run("import", write(vault, "book.vcf", card("FN:../../etc/passwd") + card("FN:CON") + card("FN:a: b?")))
    assert listed(vault) == ["Clients/-..-etc-passwd.md", "Clients/CON_.md", "Clients/a - b.md"]
    assert client(vault, "Clients/-..-etc-passwd.md").name == "../../etc/passwd"


def test_a_value_that_no_key_takes_stands_in_the_body_and_is_told(vault):
    table = write(vault, "t.csv", "Name,Wert\nAcme,viel\n")
    done = run("import", table, "--map", "Wert=value")
    assert "value: viel" in (vault / "Clients/Acme.md").read_text(encoding="utf-8")
    assert client(vault, "Clients/Acme.md").value is None
    assert "t.csv:2:1: warning" in done.stderr


def test_a_table_that_nobody_knows_is_refused_with_its_columns(vault):
    done = run("import", write(vault, "t.csv", "Kunde;Ort\nAcme;Ulm\n"), code=2)
    assert "Kunde: Acme" in done.stderr
    assert listed(vault) == []
    run("import", vault.parent / "t.csv", "--map", "Kunde=name")
    assert listed(vault) == ["Clients/Acme.md"]


@pytest.mark.parametrize("words", [("--map", "Kunde"), ("--map", "Kunde=nothing"), ("--map", "=name")])
def test_a_map_that_names_no_key_is_refused(vault, words):
    assert "bad-map" in run("import", write(vault, "t.csv", "Kunde\nA\n"), *words, code=2).stderr


def test_a_file_that_cannot_be_read_is_refused(vault):
    assert "unreadable-file" in run("import", vault.parent / "none.vcf", code=2).stderr
    assert "unknown-format" in run("import", write(vault, "a.pdf", "%PDF"), code=2).stderr


def test_nothing_of_a_file_reaches_the_terminal_unescaped(vault):
    done = run("import", write(vault, "book.vcf", card("FN:\x1b]0;x\x07Anna", "odd\x1b[2J")))
    assert "\x1b" not in done.stdout + done.stderr


# --- Evernote --------------------------------------------------------------------------------------------


def test_notes_stand_in_their_notebook_and_attachments_beside_them(vault):
    picture = f"<title>Visit</title><resource><data>{PNG}</data><mime>image/png</mime></resource>"
    run("import", write(vault, "Trips.enex", notebook(picture)))
    assert listed(vault) == ["Trips/Visit.md"]
    assert (vault / "Trips/Visit files/attachment.png").read_bytes() == b"\x89PNG"
    assert "![attachment.png](Visit%20files/attachment.png)" in (vault / "Trips/Visit.md").read_text(
        encoding="utf-8"
    )


def test_a_second_import_makes_no_note_twice_wherever_it_was_moved(vault):
    made = "<created>20260225T093000Z</created>"
    file = write(
        vault, "N.enex", notebook(f"<title>A</title>{made}", "<title>A</title>", "<title>A</title>" + made)
    )
    done = run("import", file)
    assert listed(vault) == ["N/A no. 2.md", "N/A.md"]
    assert "1 there already" in done.stdout  # the same title, made in the same second
    (vault / "N/A.md").rename(vault / "Elsewhere.md")
    assert run("import", file).stdout == "N.enex: 3 records: 3 there already\n"


def test_notes_of_one_title_and_second_with_other_words_are_all_kept(vault):
    head = "<title>A</title><created>20260225T093000Z</created>"
    bodies = [
        f"{head}<content>&lt;en-note&gt;{words}&lt;/en-note&gt;</content>" for words in ("one", "two", "one")
    ]
    file = write(vault, "N.enex", notebook(*bodies))
    assert run("import", file).stdout == "N.enex: 3 records: 2 new, 1 there already\n"
    assert sorted((vault / path).read_text(encoding="utf-8").split()[-1] for path in listed(vault)) == [
        "one",
        "two",
    ]
    assert run("import", file).stdout == "N.enex: 3 records: 3 there already\n"


def test_a_picture_written_into_the_text_is_kept_beside_the_note(vault):
    picture = "data:image/png;base64,aGVsbG8="
    bad = '&lt;img src="data:image/png;base64,?" alt="plan %%"/&gt;'
    body = f'&lt;en-note&gt;Look: &lt;img src="{picture}"/&gt; {bad}&lt;/en-note&gt;'
    done = run("import", write(vault, "N.enex", notebook(f"<title>Visit</title><content>{body}</content>")))
    assert (vault / "N/Visit files/picture.png").read_bytes() == b"hello"
    text = (vault / "N/Visit.md").read_text(encoding="utf-8")
    assert "![picture.png](Visit%20files/picture.png)" in text
    assert r"plan %\%" in text
    assert "a picture that cannot be read" in done.stderr


def test_a_tag_makes_a_client_whose_tasks_are_follow_ups(vault):
    task = "<task><title>Send the quote</title><dueDate>20260301T100000Z</dueDate></task>"
    run(
        "import",
        write(vault, "N.enex", notebook(f"<title>Acme</title><tag>Customers</tag>{task}")),
        "--clients",
        "customers",
    )
    done = run("check", "--today", "2026-03-02", "--format", "json", code=1)
    (item,) = json.loads(done.stdout)["items"]
    assert (item["client"], item["title"], item["due"]) == ("Acme", "Send the quote", "2026-03-01")


def test_an_attachment_never_becomes_a_note_or_leaves_its_folder(vault):
    data = base64.b64encode(b"---\ntype: client\n---\n").decode()
    names = ["../../notesync.yaml", "x.md", "/etc/passwd", "..", "CON.txt", "a\\b.md"]
    resources = "".join(
        f"<resource><data>{data}</data><resource-attributes><file-name>{name}</file-name></resource-attributes></resource>"
        for name in names
    )
    before = (vault / "notesync.yaml").read_bytes()
    run("import", write(vault, "N.enex", notebook(f"<title>T</title>{resources}")))
    assert (vault / "notesync.yaml").read_bytes() == before
    assert listed(vault) == ["N/T.md"]
    made = [place for place in vault.rglob("*") if place.is_file() and place.suffix != ".md"]
    assert {place.parent.name for place in made} == {"T files", "vault"}
    assert len(made) == 1 + len(names)


def test_an_import_that_was_broken_off_goes_on_where_its_attachments_are(vault):
    file = write(vault, "N.enex", notebook(f"<title>T</title><resource><data>{PNG}</data></resource>"))
    run("import", file)
    (vault / "N/T.md").unlink()
    run("import", file)
    assert listed(vault) == ["N/T.md"]


# --- Who is there already --------------------------------------------------------------------------------


def test_a_client_who_is_there_is_left_alone_and_with_update_filled_where_empty(vault):
    text = "---\r\ntype: client\r\ncompany: Acme  # theirs\r\nphone:\r\n---\r\nMine\r\n"
    note(vault, "Anna Smit.md", text)
    file = write(vault, "book.vcf", ANNA)
    assert run("import", file).stdout == "book.vcf: 1 record: 1 there already\n"
    assert (vault / "Anna Smit.md").read_bytes() == text.encode()
    assert run("import", file, "--update").stdout == "book.vcf: 1 record: 1 filled\n"
    assert (vault / "Anna Smit.md").read_bytes().decode() == (
        "---\r\ntype: client\r\ncompany: Acme  # theirs\r\nemail: anna@example.com\r\nphone: 088 555 0112\r\n"
        "---\r\nMine\r\n"
    )
    assert run("import", file, "--update").stdout == "book.vcf: 1 record: 1 there already\n"


def test_a_note_that_cannot_be_filled_is_named_and_the_others_are_made(vault):
    text = '---\ntype: client\nphone: "no end\n---\nMine\n'
    note(vault, "Anna Smit.md", text)
    note(vault, "Ben.md", "---\ntype: client\n---\n")
    people = ANNA + card("FN:Ben", "EMAIL:ben@b.c") + card("FN:Cara")
    done = run("import", write(vault, "book.vcf", people), "--update")
    assert done.stdout == "book.vcf: 3 records: 1 new, 1 there already, 1 filled; 1 problem\n"
    assert "not-filled: Anna Smit.md was not filled" in done.stderr
    assert (vault / "Anna Smit.md").read_text(encoding="utf-8") == text
    assert client(vault, "Ben.md").emails == ("ben@b.c",)


def test_the_doubtful_are_made_and_named(vault):
    note(vault, "Anna Smit.md", "---\ntype: client\ncompany: Other\n---\n")
    done = run("import", write(vault, "book.vcf", ANNA))
    assert "1 new but doubtful" in done.stdout
    assert "Anna Smit (Acme).md was made, but looks like Anna Smit.md" in done.stderr


def test_two_records_of_one_person_in_one_file_fill_one_note(vault):
    file = write(vault, "book.vcf", card("FN:Anna", "TEL:088 555 0112") + card("FN:Anna", "EMAIL:a@b.c"))
    run("import", file, "--update")
    anna = client(vault, "Clients/Anna.md")
    assert (anna.phones, anna.emails) == (("088 555 0112",), ("a@b.c",))
    assert listed(vault) == ["Clients/Anna.md"]


def test_what_two_records_of_one_person_say_is_in_one_note(vault, monkeypatch):
    people = card(
        "FN:Anna", "EMAIL:a@b.c", "TEL:088 555 0112", "NOTE:one", f"PHOTO;ENCODING=b;TYPE=PNG:{PNG}"
    )
    other = base64.b64encode(b"other").decode()
    people += card("FN:Anna", "EMAIL:a@b.c", "TEL:021 555 9999", "ORG:Acme", "NOTE:two",
                   f"PHOTO;ENCODING=b;TYPE=PNG:{other}")  # fmt: skip
    file = write(vault, "book.vcf", people)
    for most in (300, 1):
        monkeypatch.setattr(importing, "NOTES_AT_ONCE", most)
        assert run("import", file).stdout == "book.vcf: 2 records: 1 new, 1 filled\n"
        assert client(vault, "Clients/Anna.md").company == "Acme"
        body = (vault / "Clients/Anna.md").read_text(encoding="utf-8").partition("\n---\n")[2]
        assert body == (
            "\none\n\n![](Anna%20files/photo.png)\n\n- Phone: 021 555 9999\n\ntwo\n\n![](Anna%20files/photo%202.png)\n"
        )
        assert (vault / "Clients/Anna files/photo 2.png").read_bytes() == b"other"
        before = contents(vault)
        assert run("import", file).stdout == "book.vcf: 2 records: 2 there already\n"
        assert contents(vault) == before
        run("undo")
        assert listed(vault) == []


def test_one_id_for_two_people_is_told(vault):
    table = write(vault, "a.csv", "id,name\n1,Anna\n1,Ben\n")
    done = run("import", table)
    assert done.stdout == "a.csv: 2 records: 1 new, 1 there already; 1 problem\n"
    assert "a.csv:3:1: warning same-id: `Ben` has the id of Clients/Anna.md" in done.stderr


def test_a_group_without_an_id_is_made_once(vault):
    file = write(vault, "book.vcf", card("KIND:group", "FN:Choir", "MEMBER:Anna"))
    assert "1 new" in run("import", file).stdout
    assert "1 there already" in run("import", file).stdout


def test_attachments_that_stayed_stand_in_nobodys_way(vault):
    def build(data):
        return notebook(
            f"<title>T</title><resource><data>{base64.b64encode(data).decode()}</data></resource>"
        )

    large = b"x" * 3_000_000
    run("import", write(vault, "N.enex", build(large)))
    run("undo")
    assert "1 new" in run("import", vault.parent / "N.enex").stdout
    assert listed(vault) == ["N/T.md"]
    run("undo")
    assert "1 new" in run("import", write(vault, "N.enex", build(b"newer"))).stdout
    assert (vault / "N/T files/attachment").read_bytes() == large
    (made,) = listed(vault)
    assert (vault / f"{made[:-3]} files/attachment").read_bytes() == b"newer"


def test_a_text_larger_than_what_is_read_of_a_note_is_named(vault):
    body = "words " * 400_000
    file = write(vault, "N.enex", notebook(f"<title>A</title><content>{body}</content>", "<title>B</title>"))
    done = run("import", file)
    assert "not-imported" in done.stderr
    assert listed(vault) == ["N/B.md"]


def test_a_file_that_stops_half_way_says_so_and_goes_on_when_imported_again(vault, monkeypatch):
    monkeypatch.setattr(importing, "NOTES_AT_ONCE", 1)
    file = write(
        vault,
        "N.enex",
        notebook("<title>A</title>", f"<title>B</title><resource><data>{PNG}</data></resource>"),
    )
    (vault / "N").mkdir()
    (vault / "N" / "B files").write_bytes(b"in the way")
    done = run("import", file, code=4)
    assert "import the file again" in done.stderr
    assert listed(vault) == ["N/A.md"]
    (vault / "N" / "B files").unlink()
    assert run("import", file).stdout == "N.enex: 2 records: 1 new, 1 there already\n"


def test_a_long_file_is_written_piece_by_piece(vault, monkeypatch):
    monkeypatch.setattr(importing, "NOTES_AT_ONCE", 3)
    cards = "".join(card(f"FN:Client {number}", f"TEL:088 555 01{number}") for number in range(10, 20))
    assert "10 new" in run("import", write(vault, "book.vcf", cards)).stdout
    assert "10 there already" in run("import", vault.parent / "book.vcf").stdout


def test_the_vaults_own_names_for_keys_are_used(vault):
    (vault / "notesync.yaml").write_text("fields: {email: mail}\nclient_types: [person]\n", encoding="utf-8")
    run("import", write(vault, "book.vcf", ANNA))
    assert "mail: anna@example.com" in (vault / "Clients/Anna Smit.md").read_text(encoding="utf-8")
    assert "1 there already" in run("import", vault.parent / "book.vcf").stdout


few = st.sampled_from
persons = st.lists(
    st.tuples(
        few(["Anna Smit", "anna smit", "Ben", "Acme: Ltd", "Ёлка", "[[Link]]", "a" * 200]),
        few(["", "Acme", "Other"]),
        few(["", "a@b.c", "x@y.z"]),
        few(["", "088 555 0112", "021 555 9999"]),
        few(["", "id-1", "id-2", "id-3"]),
    ),
    max_size=7,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=persons, update=st.booleans())
def test_a_second_import_of_anything_makes_nothing_twice(people, update, quick_path, monkeypatch):
    number = sum(1 for _ in quick_path.iterdir())
    vault = make_vault(quick_path / str(number) / "vault", monkeypatch)
    cards = "".join(
        card(
            *(
                f"{name}:{text}"
                for name, text in zip(("FN", "ORG", "EMAIL", "TEL", "UID"), person, strict=True)
                if text
            )
        )
        for person in people
    )
    file, words = write(vault, "book.vcf", cards), ["--update"] if update else []
    first = run("import", file, *words)
    assert "left out" not in first.stdout
    before = contents(vault)
    for path in before:
        assert client(vault, path).id
    again = run("import", file, *words)
    assert " new" not in again.stdout
    if update:
        before = contents(vault)
        run("import", file, *words)
    assert contents(vault) == before


# --- Out again -------------------------------------------------------------------------------------------

RICH = """---
type: client
id: k7
name: "Anna, Smit; & Sons \\\\ Co"
company: "[[Acme]]"
role: Buyer
address: 1 Main Rd, Town
website: https://a.b/c?d=e
email: [anna@example.com, a@b.c]
phone: "+27 88 555 0112"
aliases: [Annie, "The, Smit"]
tags: [vip, a/b]
owner: [Naledi, Ben]
stage: customer
value: R 120,000.50
every: 2 weeks
next_contact: 2026-11-25T14:30
sold: 2026-01-02
do_not_contact: false
---

=cmd|' /C calc'!A0 is words, Größe: 陳

## Log

- 2026-11-20 14:30 call: said "yes, please"; back\\\\slash \\n
- [ ] send it 📅 2026-11-25
"""


@pytest.mark.parametrize("form", ["vcf", "csv", "json"])
def test_what_was_exported_imports_to_the_same(vault, quick_path, monkeypatch, form):
    note(vault, "Clients/Anna.md", RICH)
    note(vault, "Clients/Ben.md", "---\ntype: client\nid: k8\n---\n- a list\n")
    exported = run("export", "--format", form).stdout_bytes
    file = write(vault, f"all.{form}", exported)
    assert "2 there already" in run("import", file).stdout
    other = make_vault(quick_path / "other" / "vault", monkeypatch)
    assert "2 new" in run("import", file).stdout
    again = run("export", "--format", form).stdout_bytes
    if form == "json":  # it also says where each note is
        again, exported = ({**json.loads(text), "vault": ""} for text in (again, exported))
        for each in (*again["clients"], *exported["clients"]):
            each.pop("path")
    assert again == exported
    (path,) = [path for path in listed(other) if "Anna" in path]
    there, here = client(other, path), client(vault, "Clients/Anna.md")
    assert there._replace(
        path="", log=(), tasks=(), anchors={}, next_contact=None, every_line=0
    ) == here._replace(path="", log=(), tasks=(), anchors={}, next_contact=None, every_line=0)
    assert [entry.text for entry in there.log] == [entry.text for entry in here.log]
    assert there.next_contact[:2] == here.next_contact[:2]


def test_the_clients_as_json(vault):
    note(vault, "Clients/Anna.md", RICH)
    found = json.loads(run("export", "--format", "json").stdout)
    (anna,) = found["clients"]
    assert found["format_version"] == 1
    assert anna["path"] == "Clients/Anna.md"
    assert anna["email"] == ["anna@example.com", "a@b.c"]
    assert "## Log" in anna["body"]


def test_lines_of_a_card_are_short_and_whole(vault):
    note(vault, "Ä.md", "---\ntype: client\n---\n" + "ä陳" * 200)
    card = run("export", "--format", "vcf").stdout_bytes
    for line in card.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert "ä陳" * 200 in card.replace(b"\r\n ", b"").decode()


def test_one_owners_clients(vault):
    note(vault, "Anna.md", "---\ntype: client\nowner: Naledi\n---\n")
    note(vault, "Ben.md", "---\ntype: client\nowner: Sam\n---\n")
    done = run("export", "--format", "csv", "--owner", "Naledi")
    assert "Anna" in done.stdout
    assert "Ben" not in done.stdout


def test_an_export_never_writes_over_another_kind_of_file(vault):
    note(vault, "Anna.md", "---\ntype: client\n---\n")
    assert "not-a-vcard" in run("export", "--format", "vcf", "Anna.md", code=4).stderr
    assert "written" in run("export", "--format", "vcf", "../a.vcf").stderr
    assert "unchanged" in run("export", "--format", "vcf", "../a.vcf").stderr


def test_a_note_that_cannot_be_read_is_told_of(vault):
    note(vault, "Anna.md", "---\ntype: client\n---\n")
    run("sync")
    note(vault, "Anna.md", "---\ntype: client\n---\n" + "words " * 400_000)  # more than is read
    done = run("export", "--format", "csv")
    assert "Anna.md" in done.stderr
