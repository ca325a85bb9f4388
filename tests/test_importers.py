"""What every importer keeps to, whatever the bytes; and what each makes of the files that programs really write."""

from __future__ import annotations

import base64
import hashlib
import io
import string
import tracemalloc
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notesync.followup.sameness import Person, Register
from notesync.importers.csv_contacts import read_contacts, read_day
from notesync.importers.enex import read_moment, read_notes
from notesync.importers.formats import find_importer
from notesync.importers.own_json import read_clients
from notesync.importers.record import (
    FIELDS,
    LONGEST_LINE,
    Record,
    Source,
    Wishes,
    build_file_name,
    clean_line,
)
from notesync.importers.vcard import read_vcards
from notesync.notes.file_name import build_stem
from notesync.notes.note import parse_note
from notesync.problems import Problem, UsageError
from notesync.publish.contacts import Contact, render_contacts
from notesync.sync.importing import fill_note

ZONE = ZoneInfo("Africa/Johannesburg")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def read(importer, data, name="file", **wishes):
    data = data.encode() if isinstance(data, str) else data
    found = list(importer(Source(io.BytesIO(data), name, Wishes(ZONE, **wishes))))
    return [each for each in found if isinstance(each, Record)], [
        problem for each in found for problem in ([each] if isinstance(each, Problem) else each.problems)
    ]


def one(importer, data, **wishes):
    (record,), problems = read(importer, data, **wishes)
    assert not problems, problems
    return record


def card(*lines, version="3.0"):
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


def note(body="", *elements, title="Acme"):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE en-export SYSTEM "http://xml.evernote.com/pub/evernote-export4.dtd">\n'
        f"<en-export><note><title>{title}</title><content><![CDATA[<?xml version='1.0'?>"
        '<!DOCTYPE en-note SYSTEM "http://xml.evernote.com/pub/enml2.dtd">'
        f"<en-note>{body}</en-note>]]></content>{''.join(elements)}</note></en-export>"
    )


# --- The contract ----------------------------------------------------------------------------------------

VCARD = card("FN:Anna Smit", "N:Smit;Anna;;;", "item1.EMAIL;TYPE=INTERNET:anna@example.com", "item1.X-ABLabel:Old",
             "TEL;TYPE=cell:088 555 0112", "PHOTO;ENCODING=b;TYPE=PNG:" + base64.b64encode(PNG).decode(),
             "NOTE:Met at the fair\\, twice\\nand again")  # fmt: skip
CSV = (
    "First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value,Birthday,Organization Name\r\n"
    'Anna,Smit,Work,anna@example.com ::: a@example.org,1980-05-01,"Quince, Cottage"\r\n'
)
ENEX = note(
    "<h1>Visit</h1><div><en-todo/>call</div>",
    "<created>20260225T093000Z</created><tag>vip</tag>",
    "<task><title>Send it</title><dueDate>20260301T100000Z</dueDate></task>",
    f"<resource><data encoding='base64'>{base64.b64encode(PNG).decode()}</data><mime>image/png</mime></resource>",
)
JSON = "".join(
    render_contacts([Contact("a.md", "Anna Smit", {"email": ("a@b.c",), "id": ("k1",)}, "Body")], "json", "v")
)
IMPORTERS = {
    "vcf": (read_vcards, VCARD.encode()),
    "csv": (read_contacts, CSV.encode()),
    "enex": (read_notes, ENEX.encode()),
    "json": (read_clients, JSON.encode()),
}
every_importer = pytest.mark.parametrize(("importer", "sample"), IMPORTERS.values(), ids=IMPORTERS)


def check_contract(importer, data):
    """What a caller may rely on, of any file; the records."""
    try:
        records, problems = read(importer, data)
    except UsageError:  # a table whose columns have to be named first
        if importer is not read_contacts:
            raise
        return []
    for problem in problems:
        assert problem.path == "file"
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message.endswith(".")
        assert problem.hint
    for record in records:
        assert record.line >= 1
        assert record.name == clean_line(record.name) != ""
        assert set(record.fields) <= {*FIELDS, "updated"}
        for texts in record.fields.values():
            assert texts
            assert all(text == clean_line(text) != "" for text in texts)
        assert "\r" not in record.body
        assert "\0" not in record.body
        record.body.encode()
        names = [each.name for each in record.attachments]
        assert len({name.casefold() for name in names}) == len(names)
        for each in record.attachments:
            assert each.mark in record.body
            assert not each.name.startswith(".")
            assert not set(each.name) & set('/\\:*?"<>|\0')
            assert not each.name.casefold().endswith(".md")
    return records


@every_importer
def test_a_sample_gives_one_whole_record(importer, sample):
    (record,) = check_contract(importer, sample)
    assert record.name in ("Anna Smit", "Acme")


@every_importer
@settings(deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_without_an_exception(importer, sample, data):
    check_contract(importer, data)


@every_importer
@settings(deadline=None, max_examples=150)
@given(cuts=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 30), st.binary(max_size=12)), max_size=4))
def test_a_damaged_file_is_read_without_an_exception(importer, sample, cuts):
    for at, length, instead in cuts:
        at %= len(sample)
        sample = sample[:at] + instead + sample[at + length :]
    check_contract(importer, sample)


@every_importer
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found(importer, sample, encoding):
    text = sample.decode().replace("Smit", "Šmit").replace("Acme", "Ačme").replace('encoding="UTF-8"', "")
    if importer is read_notes and encoding.endswith("e"):
        text = f"\ufeff{text}"  # XML in UTF-16 always begins with its mark
    (record,) = check_contract(importer, text.encode(encoding))
    assert "Š" in record.name or "č" in record.name


@every_importer
def test_one_bad_record_is_not_the_end(importer, sample):
    good = sample.decode()
    if importer is read_vcards:
        data = "BEGIN:VCARD\r\nPHOTO;ENCODING=b:%%%\r\nrubbish\r\n" + good
    elif importer is read_clients:
        data = good.replace("  {", '  {"name": 1},\n  7,\n  {', 1)
    elif importer is read_contacts:
        data = good + f'Ben,"{"x" * 140_000}"\r\n' + "Cara,Nel,,,,\r\n"
    else:
        bad = "<note><title>B</title><resource><data>%%%</data></resource></note>"
        data = good.replace("<note>", bad + "<note>", 1)
    records, problems = read(importer, data)
    assert {"Anna Smit", "Acme"} & {record.name for record in records}
    assert problems


class Endless(io.RawIOBase):
    """A file of many megabytes that is made while it is read."""

    def __init__(self, parts):
        self.parts, self.rest = parts, b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self.rest:
            self.rest = next(self.parts, None)
            if self.rest is None:
                self.rest = b""
                return 0
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


MEGABYTE = 1024 * 1024

# What reads a file, its beginning, what it goes on with, its size, and the most that may be held of it.
HUGE = {
    "vcf, one line": (read_vcards, [b"BEGIN:VCARD\nNOTE:"], b"x" * 65536, 48, 32),
    "vcf, one card": (read_vcards, [b"BEGIN:VCARD\nFN:A\n"], b"NOTE:" + b"x" * 65536 + b"\n", 96, 80),
    "csv, one line": (read_contacts, [b"name,email\n"], b"x" * 65536, 48, 32),
    "csv, an open quotation mark": (read_contacts, [b'name,email\n"'], b" " * 6000 + b"\n", 4, 2),
    "enex, one attachment": (
        read_notes, [b"<en-export><note><resource><mime>!", b"</mime><data>"], b"%%%" + b"A" * 65536, 16, 2,
    ),
    "enex, one title": (read_notes, [b"<en-export><note><title>"], b"x" * 65536, 16, 2),
}  # fmt: skip


@pytest.mark.parametrize(("importer", "head", "part", "size", "most"), HUGE.values(), ids=HUGE)
def test_a_huge_file_takes_bounded_memory(importer, head, part, size, most):
    stream = io.BufferedReader(Endless(iter([*head, *([part] * (size * MEGABYTE // len(part)))])))
    tracemalloc.start()
    try:
        problems = sum(
            isinstance(each, Problem) or len(each.problems)
            for each in importer(Source(stream, "file", Wishes(ZONE)))
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert problems
    assert peak < most * MEGABYTE


def test_a_file_is_known_by_its_beginning_then_by_its_name():
    assert find_importer("contacts.txt", b"\xef\xbb\xbfbegin:vcard\r\n") is read_vcards
    assert (
        find_importer("x", b'<?xml version="1.0"?>\n<!DOCTYPE en-export SYSTEM "y">\n<en-export>')
        is read_notes
    )
    assert find_importer("a.TSV", b"") is read_contacts
    with pytest.raises(UsageError, match="unknown-format"):
        find_importer("a.pdf", b"%PDF")


# --- vCard -----------------------------------------------------------------------------------------------

CARDS = [
    pytest.param(card("FN:Anna Smit"), {}, "Anna Smit", "", id="a name"),
    pytest.param(card("N:Smit;Anna;Maria;Dr;PhD"), {}, "Dr Anna Maria Smit PhD", "", id="no FN"),
    pytest.param("BEGIN:VCARD\nFN:A\nEND:VCARD", {}, "A", "", id="no VERSION, bare newlines"),
    pytest.param("BEGIN:VCARD\rFN:A\rEND:VCARD", {}, "A", "", id="an old Mac's line ends"),
    pytest.param(card("ORG:Acme;Sales"), {"company": ("Acme",)}, "Acme", "- Department: Sales", id="a company alone"),
    pytest.param(card("EMAIL:a@b.c"), {"email": ("a@b.c",)}, "a@b.c", "", id="an address alone"),
    pytest.param(
        card("FN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:J=C3=BCr=", "gen", version="2.1"), {}, "Jürgen", "",
        id="quoted-printable, broken over two lines",
    ),
    pytest.param(
        card("N;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:M=FCller;Eva", version="2.1"), {}, "Eva Müller", "",
        id="bare encoding, another charset",
    ),
    pytest.param(
        card("FN:A", "TEL;CELL;PREF:1", "TEL;WORK;VOICE:2", version="2.1"), {"phone": ("1", "2")}, "A",
        "- Phone 1: cell\n- Phone 2: work", id="bare types",
    ),
    pytest.param(
        card("FN:A", "TEL;VALUE=uri;TYPE=\"voice,home\":tel:+1-555;ext=9", "BDAY:--0501", version="4.0"),
        {"phone": ("+1-555 ext. 9",)}, "A", "- Phone +1-555 ext. 9: home\n- Birthday: 05-01", id="version 4",
    ),
    pytest.param(card("FN:Long", " er", "\tname"), {}, "Longername", "", id="folded"),
    pytest.param(
        card("FN:A", "item1.URL:https://a.b", "item1.X-ABLabel:_$!<HomePage>!$_", "item2.X-ABDATE:2020-01-02",
             "item2.X-ABLabel:Met"),
        {"website": ("https://a.b",)}, "A", "- Kind of website: HomePage\n- Date (Met): 2020-01-02",
        id="groups with labels",
    ),
    pytest.param(
        card("FN:A", "ADR;TYPE=home:;;1 Main Rd\\, Flat 2;Town;;8000;ZA", "ADR:;;2 Side St;;;;"),
        {"address": ("1 Main Rd, Flat 2, Town, 8000, ZA",)}, "A", "- Kind of address: home\n- Address: 2 Side St",
        id="two addresses",
    ),
    pytest.param(
        card("FN:A", "URL:https://a.b", "item1.URL:https://c.d", "item1.X-ABLabel:_$!<HomePage>!$_", "URL:https://a.b"),
        {"website": ("https://a.b",)}, "A", "- Website (HomePage): https://c.d", id="a label of a second one",
    ),
    pytest.param(
        card("FN:A", "ADR:;;1 Main Rd;Town;;;", "LABEL:1 Main Rd\\nTown", "LABEL;TYPE=work:Dock 3\\nTown"),
        {"address": ("1 Main Rd, Town",)}, "A", "- Address (work): Dock 3 Town", id="an address as printed",
    ),
    pytest.param(
        card("FN:A", "X-FAVOURITE-TEA:Rooibos", "IMPP:xmpp:a@b"), {}, "A",
        "- Favourite tea: Rooibos\n- Messenger: xmpp:a@b", id="what has no key",
    ),
    pytest.param(
        card("FN:A", "CATEGORIES:vip,Big Deals", "NICKNAME:Annie\\, the,Smitty"),
        {"tags": ("vip", "Big-Deals"), "aliases": ("Annie, the", "Smitty")}, "A", "", id="lists",
    ),
    pytest.param(
        card("FN:A", "CATEGORIES:vip\\, big deal,@home (old)"), {"tags": ("vip", "big-deal", "home-old")}, "A", "",
        id="categories that hold commas, and what no tag may",
    ),
    pytest.param(
        card("FN:A", "NOTE:one", "  two", "EMAIL:a@b.c").replace("\r", "").replace("\n", "\r\r\n"),
        {"email": ("a@b.c",)}, "A", "one two", id="lines that end twice",
    ),
    pytest.param(card("FN:A", "NOTE:C:\\new\\table", version="2.1"), {}, "A", "C:\\new\\table", id="a path in 2.1"),
    pytest.param(card("FN:A", "NOTE:one\\n\\ntwo\\\\n"), {}, "A", "one\n\ntwo\\n", id="escapes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields", "name", "body"), CARDS)
def test_a_card_as_programs_write_it(text, fields, name, body):
    record = one(read_vcards, text)
    assert (record.name, dict(record.fields), record.body) == (name, fields, body)


def test_raw_bytes_of_an_old_code_page_and_of_utf8_in_one_file():
    data = card("FN:Jürgen").encode("cp1252") + card("FN:Šárka").encode()
    assert [each.name for each in read(read_vcards, data)[0]] == ["Jürgen", "Šárka"]


def test_every_card_arrives_even_where_ends_are_missing_or_cards_are_nested():
    text = (
        "BEGIN:VCARD\nFN:A\nBEGIN:VCARD\nFN:B\nAGENT:\nBEGIN:VCARD\nFN:C\nEND:VCARD\nEMAIL:b@b.b\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:D"
    )
    records, problems = read(read_vcards, text)
    assert [each.name for each in records] == ["A", "C", "B", "D"]
    assert records[2].fields["email"] == ("b@b.b",)
    assert [problem.code for problem in problems] == ["unclosed-card", "unclosed-card"]


def test_a_photo_becomes_a_file_in_either_form_of_base64():
    data = base64.b64encode(PNG).decode()
    texts = [
        card("FN:A", f"PHOTO;ENCODING=b;TYPE=PNG:{data}"),
        card("FN:A", f"PHOTO;PNG;BASE64:{data[:60]}", data[60:], "", version="2.1"),
        card("FN:A", f"PHOTO:data:image/png;base64,{data}", version="4.0"),
    ]
    for text in texts:
        (found,) = one(read_vcards, text).attachments
        assert (found.name, found.data) == ("photo.png", PNG)


def test_an_id_is_the_same_at_every_export():
    assert one(read_vcards, card("FN:A", "UID:urn:uuid:1-2", version="4.0")).identity == "1-2"


# --- CSV -------------------------------------------------------------------------------------------------

TABLES = {
    "Google, until 2023": (
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,"
        "Phone 1 - Value,Organization 1 - Name,Organization 1 - Title,Address 1 - Formatted,Notes\n"
        'Anna Smit,Anna,Smit,* myContacts ::: Vip,Work,a@b.c ::: d@e.f,Mobile,088 1,Acme,Buyer,"1 Rd\n'
        'Town",Likes tea\n',
        {"email": ("a@b.c", "d@e.f"), "phone": ("088 1",), "company": ("Acme",), "role": ("Buyer",),
         "tags": ("Vip",), "address": ("1 Rd, Town",)},
        "- E-mail (Work): a@b.c\n- E-mail (Work): d@e.f\n- Phone (Mobile): 088 1\n\nLikes tea",
    ),
    "Google, since 2024": (
        "First Name,Last Name,Organization Name,Organization Title,Birthday,Notes,Labels,E-mail 1 - Label,"
        "E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n"
        "Anna,Smit,Acme,Buyer,1980-05-01,,* myContacts,,a@b.c,Mobile,088 1\n",
        {"email": ("a@b.c",), "phone": ("088 1",), "company": ("Acme",), "role": ("Buyer",)},
        "- Birthday: 1980-05-01\n- Phone (Mobile): 088 1",
    ),
    "Google, labels of what has no key": (
        "First Name,Last Name,Address 1 - Label,Address 1 - Formatted,Event 1 - Label,Event 1 - Value,"
        "Relation 1 - Label,Relation 1 - Value,Custom Field 1 - Label,Custom Field 1 - Value\n"
        "Anna,Smit,Home,1 Rd,Anniversary,2001-02-03,Spouse,Ben,Shoe size,42\n",
        {"address": ("1 Rd",)},
        "- Event (Anniversary): 2001-02-03\n- Relation (Spouse): Ben\n- Custom Field (Shoe size): 42\n"
        "- Kind of address: Home",
    ),
    "Outlook": (
        '"Title","First Name","Last Name","Company","Job Title","Business Street","Business City","Business Phone",'
        '"Mobile Phone","E-mail Address","E-mail Type","Birthday","Categories","Priority","Sensitivity"\n'
        '"","Anna","Smit","Acme","Buyer","1 Rd","Town","021 1",'
        '"088 1","a@b.c","SMTP","0/0/00","A;B","Normal","Normal"\n',
        {"email": ("a@b.c",), "phone": ("021 1", "088 1"), "company": ("Acme",), "role": ("Buyer",),
         "address": ("1 Rd, Town",), "tags": ("A", "B")},
        "",
    ),
    "Outlook, German, semicolons": (
        "Anrede;Vorname;Nachname;Firma;Position;Telefon geschäftlich;E-Mail-Adresse;Notizen\n"
        "Frau;Anna;Smit;Acme;Einkauf;021 1;a@b.c;Nett\n",
        {"email": ("a@b.c",), "phone": ("021 1",), "company": ("Acme",), "role": ("Einkauf",)},
        "- Anrede: Frau\n\nNett",
    ),
    "Thunderbird": (
        "First Name,Last Name,Display Name,Nickname,Primary Email,Secondary Email,Work Phone,Mobile Number,"
        "Work Address,Work City,Work ZipCode,Job Title,Organization,Web Page 1,Birth Year,Birth Month,"
        "Birth Day,Custom 1,\n"
        "Anna,Smit,Anna Smit,Annie,a@b.c,d@e.f,021 1,088 1,1 Rd,Town,8000,Buyer,Acme,https://a.b,1980,5,1,odd,\n",
        {"email": ("a@b.c", "d@e.f"), "phone": ("021 1", "088 1"), "company": ("Acme",), "role": ("Buyer",),
         "aliases": ("Annie",), "website": ("https://a.b",), "address": ("1 Rd, Town, 8000",)},
        "- Custom 1: odd\n- Birthday: 1980-05-01",
    ),
    "LinkedIn": (
        'Notes:\n"When exporting your connection data, you may notice that some are missing."\n\n'
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
        "Anna,Smit,https://l.example/anna,a@b.c,Acme,Buyer,07 Mar 2024\n",
        {"email": ("a@b.c",), "company": ("Acme",), "role": ("Buyer",), "website": ("https://l.example/anna",)},
        "- Connected On: 2024-03-07",
    ),
    "HubSpot": (
        "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lifecycle Stage,Create Date,"
        "Company Name,Lead Status\n"
        "501,Anna,Smit,a@b.c,088 1,Naledi,Customer,2026-01-02 09:30,Acme,Open\n",
        {"email": ("a@b.c",), "phone": ("088 1",), "company": ("Acme",), "owner": ("Naledi",),
         "stage": ("customer",), "created": ("2026-01-02 09:30",)},
        "- Lead Status: Open",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fields", "body"), TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_table_by_its_headers(text, fields, body, encoding):
    record = one(read_contacts, text.encode(encoding))
    assert (record.name, dict(record.fields), record.body) == ("Anna Smit", fields, body)


def test_any_other_table_with_its_columns_named():
    text = "Kunde\tOrt\tZuletzt\tSonst\nAcme\tUlm\t25.11.2026\tx\n"
    with pytest.raises(UsageError, match=r"(?s)Kunde: Acme.*--map 'Kunde=name'"):
        read(read_contacts, text)
    record = one(read_contacts, text, columns={"kunde": "name", "Ort": "address", "Zuletzt": "last_contact"})
    assert (record.name, dict(record.fields)) == (
        "Acme",
        {"address": ("Ulm",), "last_contact": ("2026-11-25",)},
    )
    assert record.body == "- Sonst: x"


DAYS = [
    ("2026-11-25", "2026-11-25"), ("25/11/2026", "2026-11-25"), ("11/25/2026", "2026-11-25"),
    ("07 Mar 2024", "2024-03-07"), ("Nov 25, 2026", "2026-11-25"), ("05/05/2026", "2026-05-05"),
    ("03/04/1980", ""), ("1/2/26", ""), ("31/02/2026", ""), ("soon", ""), ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "day"), DAYS)
def test_a_day_only_where_it_can_mean_but_one(text, day):
    assert read_day(text) == day


@pytest.mark.parametrize("rows", [3, 3000], ids=["to the end of the file", "to the longest cell"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_quotation_mark_that_is_not_closed_costs_no_row_below_it(rows, end):
    below = "\n".join(f"Person {number},p{number}@example.com,{'x' * 60}" for number in range(rows))
    text = f'name,email,company\nAnna,a@b.c,"Acme, Inc"\nBen,"b@b.c,Co\n{below}{end}'
    records, (problem,) = read(read_contacts, text)
    assert [each.name for each in records] == ["Anna", "Ben", *(f"Person {number}" for number in range(rows))]
    assert (records[1].fields["email"], [each.line for each in records[:3]]) == (("b@b.c",), [2, 3, 4])
    assert (problem.code, problem.line) == ("bad-row", 3)


def test_a_cell_of_several_lines_may_be_the_last():
    (record,), problems = read(read_contacts, 'name,notes\nAnna,"one\ntwo"')
    assert (record.body, problems) == ("one\ntwo", [])


def test_an_ambiguous_day_is_a_problem_of_its_row():
    (record,), (problem,) = read(read_contacts, "Name,Email,Birthday\nAnna,a@b.c,03/04/1980\n")
    assert record.body == "- Birthday: 03/04/1980"
    assert (problem.code, problem.line) == ("bad-date", 2)


# --- Evernote --------------------------------------------------------------------------------------------

BODIES = [
    pytest.param("<h2>Head</h2><div>one</div><div>two</div>", "## Head\n\none\ntwo", id="a heading and lines"),
    pytest.param("<div>one</div><div><br/></div><div>two</div>", "one\n\ntwo", id="an empty line"),
    pytest.param(
        "<div><en-todo checked=\"true\"/>did</div><div><en-todo/>do</div>", "- [x] did\n- [ ] do", id="checklist, old"
    ),
    pytest.param(
        '<ul style="--en-todo:true;"><li style="--en-checked:true;"><div>did</div></li>'
        '<li style="--en-checked:false;"><div>do</div></li></ul>',
        "- [x] did\n- [ ] do", id="checklist, new",
    ),
    pytest.param("<ul><li>a<ul><li>b</li></ul></li></ul><ol><li>c</li></ol>", "- a\n  - b\n\n1. c", id="lists"),
    pytest.param(
        "<ul><li><div>a</div></li><ul><li><div>b</div></li><ul><li>c</li></ul></ul><li>d</li><ol><li>e</li></ol></ul>",
        "- a\n  - b\n    - c\n- d\n  1. e", id="lists as Evernote nests them",
    ),
    pytest.param(
        "<ul>\n<li>a</li>\n<li>\n<ul>\n<li>b</li></ul></li><li><ul><li>c</li></ul> d</li></ul>",
        "- a\n  - b\n- - c\n  d", id="a list in an item of its own",
    ),
    pytest.param(
        "<ul><li><i><b><en-todo checked=\"true\"/></b></i>did</li><li><b>to <en-todo/>do</b></li></ul>",
        "- [x] did\n- **to [ ] do**", id="a box in bold letters",
    ),
    pytest.param(
        '<div>a <span style="--en-highlight:yellow;">b </span>c '
        '<span style="-evernote-highlight:true">d==e</span></div>',
        "a ==b== c d==e", id="highlights",
    ),
    pytest.param(
        '<div style="--en-codeblock:true;--en-codeblockLanguage:c++;"><div>x</div></div>'
        '<div style="--en-codeblock:true;--en-codeblockLanguage:a `b;">y</div>', "```c++\nx\n```\n\n```\ny\n```",
        id="code in a language",
    ),
    pytest.param(
        "<table><tr><td><div>a</div></td><td>b|c</td></tr><tr><td>d</td><td>e</td></tr></table>",
        "| a | b\\|c |\n| --- | --- |\n| d | e |", id="a table",
    ),
    pytest.param(
        '<div style="-en-codeblock:true"><div>a = `b`</div><div>  c_d</div></div>', "```\na = `b`\n  c_d\n```",
        id="code"
    ),
    pytest.param('<a href="https://a.b/c_d">x</a> <a href="javascript:y">z</a>', "[x](https://a.b/c_d) z", id="links"),
    pytest.param("<div>a<br>b &nbsp; <b>c</div>", "a\nb \u00a0 **c**", id="no XML"),
    pytest.param(
        "<div>&lt;script&gt; %%x%% 2*3 a_b</div>", "\\<script> %\\%x%\\% 2\\*3 a_b", id="signs that mean something",
    ),
    pytest.param("<div>a&#13;&#10;b&#27;[2J</div>", "a\nb[2J", id="controls by their numbers"),
    pytest.param("", "", id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "markdown"), BODIES)
def test_a_body_becomes_markdown(body, markdown):
    found = one(read_notes, note(body)).body
    assert [line.rstrip() for line in found.split("\n")] == markdown.split("\n")


pieces = st.sampled_from(
    ["<div>", "</div>", "<ul>", "<li>", "</ul>", "<table><tr>", "<td>", "</table>", "<b>", "</b>", "<en-todo/>", "x|y",
     '<ul style="--en-todo:true">', '<div style="-en-codeblock:true">', "```", "<pre>", "</pre>", "<br/>", "a_b*c",
     "%%", "<h1>", "</h1>", '<a href="x:y">', '<a href="http://[">', "<!--", "-->", "<![CDATA[", "&#0;", "&bad;", "<",
     "\ue000"]
)  # fmt: skip


@settings(deadline=None)
@given(body=st.lists(pieces, max_size=30).map("".join))
def test_any_body_is_read_without_an_exception(body):
    records, _ = read(read_notes, note(body))
    assert len(records) <= 1
    check_contract(read_notes, note(body).encode())


TASKS = [
    pytest.param("<title>Call</title>", "- [ ] Call", id="no date"),
    pytest.param("<title>Call</title><dueDate>2757600913T000000Z</dueDate>", "- [ ] Call", id="Evernote's no date"),
    pytest.param(
        "<title>Call</title><dueDate>20260301T220000Z</dueDate>", "- [ ] Call 📅 2026-03-02", id="the day here"
    ),
    pytest.param(
        "<title>Call</title><dueDate>20260301T223000Z</dueDate><timeZone>Europe/London</timeZone>"
        "<dueDateUIOption>date_time</dueDateUIOption><taskFlag>true</taskFlag>",
        "- [ ] Call (22:30) ⏫ 📅 2026-03-01", id="its own zone, a time, a flag",
    ),
    pytest.param(
        "<title>Call</title><taskStatus>completed</taskStatus><statusUpdated>20260302T080000Z</statusUpdated>",
        "- [x] Call ✅ 2026-03-02", id="done",
    ),
    pytest.param(
        "<title>Call</title><dueDate>20260301T100000Z</dueDate><recurrence>RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"
        "</recurrence><repeatAfterCompletion>true</repeatAfterCompletion>",
        "- [ ] Call 🔁 every 2 weeks on Friday when done 📅 2026-03-01", id="recurring",
    ),
    pytest.param("<title>Pay 📅 2020-01-01</title>", "- [ ] Pay 2020-01-01", id="a sign in the title"),
    pytest.param(
        "<title>Call</title><reminder><reminderDate>20260305T080000Z</reminderDate></reminder>",
        "- [ ] Call 📅 2026-03-05", id="a reminder alone",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("task", "line"), TASKS)
def test_a_task_becomes_a_line_of_the_tasks_plugin(task, line):
    assert one(read_notes, note("", f"<task>{task}</task>")).body == line


def test_a_task_stands_where_its_group_stood_and_carries_the_global_filter():
    body = '<div>a</div><div style="--en-task-group:true; --en-id:g1;"></div><div>b</div>'
    task = "<task><title>Call</title><taskGroupNoteLevelID>g1</taskGroupNoteLevelID></task>"
    assert one(read_notes, note(body, task), tasks_filter="#task").body == "a\n\n- [ ] Call #task\n\nb"


def test_a_rule_that_tasks_cannot_say_is_a_problem():
    rule = "<dueDate>20260301T100000Z</dueDate><recurrence>FREQ=MONTHLY;BYDAY=2FR</recurrence>"
    (record,), (problem,) = read(read_notes, note("", f"<task><title>Call</title>{rule}</task>"))
    assert record.body == "- [ ] Call 📅 2026-03-01"
    assert problem.code == "bad-recurrence"


REMINDERS = [
    ("<reminder-order>0</reminder-order>", ""),
    ("<reminder-order>20260101</reminder-order>", "- [ ] Reminder: Acme"),
    ("<reminder-time>\n\n20260305T080000Z\n</reminder-time>", "- [ ] Reminder: Acme 📅 2026-03-05"),
    ("<reminder-time>2026-03-05T23:30:00+01:00</reminder-time>", "- [ ] Reminder: Acme 📅 2026-03-06"),
    (
        "<reminder-time>20260305T080000Z</reminder-time><reminder-done-time>20260304T080000Z</reminder-done-time>",
        "- [x] Reminder: Acme 📅 2026-03-05 ✅ 2026-03-04",
    ),
]


@pytest.mark.parametrize(("attributes", "line"), REMINDERS)
def test_a_reminder_becomes_a_task(attributes, line):
    assert one(read_notes, note("", f"<note-attributes>{attributes}</note-attributes>")).body == line


MOMENTS = ["2757600913T000000Z", "10101T000000Z", "", "yesterday", "20260230T000000Z", "99991231T235959Z"]


@pytest.mark.parametrize("text", MOMENTS)
def test_what_no_calendar_has_is_no_date(text):
    assert read_moment(text, ZONE) is None


def test_attachments_stand_where_they_stood_under_safe_names():
    data = base64.b64encode(PNG).decode()
    digest = hashlib.md5(PNG, usedforsecurity=False).hexdigest()
    resources = [
        f"<resource><data>{data}</data><mime>image/png</mime><resource-attributes><file-name>../../.obsidian/app.png"
        "</file-name></resource-attributes></resource>",
        f"<resource><data>{base64.b64encode(b'x').decode()}</data><mime>application/pdf</mime><resource-attributes>"
        "<file-name>C:\\Deal.md</file-name></resource-attributes></resource>",
    ]
    record = one(read_notes, note(f'<div>see <en-media hash="{digest}" type="image/png"/></div>', *resources))
    first, second = record.attachments
    assert (first.name, first.data, second.name) == ("app.png", PNG, "Deal.txt")
    assert record.body == f"see ![app.png]({first.mark})\n\n[Deal.txt]({second.mark})"


def test_a_picture_that_is_its_own_link_becomes_a_file():
    svg, png = "data:image/svg+xml,%3csvg/%3e", f"data:image/PNG;base64,{base64.b64encode(PNG).decode()}"
    record = one(read_notes, note(f'<img src="{svg}"/><img src="{png}"/>'))
    assert [(each.name, each.data) for each in record.attachments] == [
        ("picture.svg", b"<svg/>"),
        ("picture.png", PNG),
    ]
    assert all(f"({each.mark})" in record.body for each in record.attachments)


def test_tags_and_days_and_the_source_of_a_clip():
    clip = "<note-attributes><source-url>https://a.b/c</source-url></note-attributes>"
    record = one(
        read_notes,
        note(
            "", "<created>20260225T223000Z</created><updated>10101T000000Z</updated><tag>Big deal</tag>", clip
        ),
    )
    assert dict(record.fields) == {
        "tags": ("Big-deal",),
        "created": ("2026-02-26",),
        "source": ("https://a.b/c",),
    }


def test_a_tag_or_a_notebook_makes_a_client():
    text = note("", "<tag>Customers</tag>")
    assert one(read_notes, text).kind == "note"
    assert one(read_notes, text, clients=frozenset(["customers"])).kind == "client"
    assert one(read_notes, text, clients=frozenset(["file"])).kind == "client"
    assert one(read_notes, text, kind="client").kind == "client"


def test_a_bare_note_is_named_by_its_file():
    record = one(read_notes, '<?xml version="1.0"?><en-note><div>Hello</div></en-note>')
    assert (record.name, record.body) == ("file", "Hello")


HOSTILE = {
    "an entity": '<!DOCTYPE en-export [<!ENTITY a "aaaa">]><en-export><note><title>&a;</title></note></en-export>',
    "laughter": '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
    "a file": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    "<en-export><note><title>&f;</title></note></en-export>",
    "a parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><en-export/>',
    "depth": "<en-export>" + "<note>" * 5000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_tricks_with_entities_and_depth_are_refused(text):
    records, (problem,) = read(read_notes, text)
    assert not records
    assert problem.code == "hostile-file"


def test_what_is_not_well_formed_ends_the_file_with_its_place_and_what_came_before_is_kept():
    text = note("one").replace("</en-export>", "\n<note><title>A & B</title></note></en-export>")
    (record,), (problem,) = read(read_notes, text)
    assert record.body == "one"
    assert (problem.code, problem.line) == ("bad-xml", 4)


def test_a_note_of_parts_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("notesync.importers.enex._LARGEST_TEXTS", 1_000_000)
    (record,), (problem,) = read(
        read_notes, note("one").replace("</en-export>", "<note>" + "<tag>a</tag>" * 3000)
    )
    assert (record.body, problem.code) == ("one", "hostile-file")


@pytest.mark.parametrize("name", ["U-TF-8", "big5", "hex", "undefined", "punycode", "x" * 5000])
def test_an_encoding_that_xml_is_not_read_in_is_a_problem(name):
    text = note("one").replace('encoding="UTF-8"', f'encoding="{name}"')
    records, (problem,) = read(read_notes, text)
    assert not records
    assert (problem.code, problem.line) == ("bad-xml", 1)
    assert 'encoding="UTF-8"' in problem.hint


HASTY = ["<" * 100_000, "<a " * 30_000, "<!--" * 30_000, "</" * 50_000]


@pytest.mark.parametrize("body", HASTY, ids=["signs", "tags", "comments", "ends"])
def test_a_body_of_unfinished_tags_does_not_take_for_ever(body):
    (record,), _ = read(read_notes, note(body))
    assert record.name == "Acme"


@pytest.mark.parametrize("body", ["<div>" * 5000 + "x", "<ul><li>" * 3000 + "x"])
def test_a_body_nested_beyond_reason_is_kept_as_its_words(body):
    (record,), (problem,) = read(read_notes, note(body))
    assert record.body.strip() == "x"
    assert problem.code == "incomplete"


@pytest.mark.parametrize("line", ["TEL;TYPE=a:{}", "item1.X-A:{}", "item1.X-ABLABEL:{}\r\nitem1.TEL:1"])
def test_a_card_of_as_many_lines_as_nobody_has_does_not_take_for_ever(line):
    (record,), _ = read(read_vcards, card("FN:A", *(line.format(number) for number in range(15_000))))
    assert record.name == "A"


def test_a_group_gives_its_label_to_its_own_lines():
    lines = ("item1.TEL:1", "item1.X-ABLABEL:Boat", "item2.TEL:2", "item2.X-ABLABEL:_$!<Home>!$_", "TEL:3")
    body = one(read_vcards, card("FN:A", *lines)).body
    assert "Boat" in body
    assert "Home" in body


def test_lines_of_nothing_are_not_kept_without_end(monkeypatch):
    monkeypatch.setattr("notesync.importers.vcard.LARGEST_CARD", 100_000)
    (record,), (problem,) = read(read_vcards, card("FN:A", *["X-A:."] * 1000))
    assert (record.name, problem.code) == ("A", "too-large")


def test_a_line_of_text_longer_than_any_is_left_out():
    assert read(read_vcards, card("FN:A", "NOTE:" + "x" * (LONGEST_LINE + 1)))[1][0].code == "too-long"


# --- JSON ------------------------------------------------------------------------------------------------


def test_a_json_of_others_is_a_problem_and_one_set_anew_is_read():
    import json

    for text in ("{}", "[1]", "[" * 100_000, '{"clients": 1}', "1" * 5000):
        records, (problem,) = read(read_clients, text)
        assert (records, problem.code) == ([], "bad-json")
    records, problems = read(read_clients, json.dumps(json.loads(JSON), indent=4))
    assert ([each.name for each in records], records[0].identity, problems) == (["Anna Smit"], "k1", [])


# --- Names of files --------------------------------------------------------------------------------------


@given(names=st.lists(st.text(max_size=60), max_size=6), ending=st.text(max_size=12))
def test_a_files_name_is_safe_and_free_whatever_it_was(names, ending):
    taken = []
    for name in names:
        safe = build_file_name(name, ending, taken)
        stem = safe.rpartition(".")[0] or safe
        assert build_stem(stem) == stem or build_stem(safe) == safe  # not every dot begins an ending
        assert safe.casefold() not in [each.casefold() for each in taken]
        assert not safe.casefold().endswith(".md")
        taken.append(safe)


# --- What we write ourselves -----------------------------------------------------------------------------

words = (
    st.text("abÉ陳 ,;\\\"'=+-@.nN:0", min_size=1, max_size=40)
    .map(clean_line)
    .filter(lambda text: text and ":::" not in text and not text.casefold().startswith(("tel:", "mailto:")))
)
singles = st.sampled_from(
    ["company", "role", "address", "website", "stage", "best_time", "referred_by", "next_action"]
)
lists = st.sampled_from(["email", "phone", "aliases", "owner", "team"])
contacts = st.builds(
    Contact,
    st.just("a.md"),
    words,
    st.builds(
        lambda one, many: one | many,
        st.dictionaries(singles, words.map(lambda text: (text,)), max_size=4),
        st.dictionaries(lists, st.lists(words, min_size=1, max_size=3, unique=True).map(tuple), max_size=3),
    ),
    st.text("ab É\\,;\n-=\"'#", max_size=60).map(lambda text: text.strip("\n")).filter(str.strip)
    | st.just(""),
)


def test_a_line_of_blanks_is_written_and_read_back():
    told = Contact("a.md", "Anna", {}, f"| a{' ' * 300}|\n\n\tcode")
    (record,), _ = read(read_vcards, "".join(render_contacts([told], "vcf", "v")))
    assert record.body == told.body


@pytest.mark.parametrize(
    ("form", "importer"), [("vcf", read_vcards), ("csv", read_contacts), ("json", read_clients)]
)
@settings(deadline=None)
@given(told=st.lists(contacts, min_size=1, max_size=3))
def test_what_we_write_is_read_back_to_the_same(form, importer, told):
    records, problems = read(importer, "".join(render_contacts(told, form, "v")))
    assert not problems
    assert [(each.name, dict(each.fields), each.body) for each in records] == [
        (each.name, dict(each.fields), each.body) for each in told
    ]


# --- Who is who ------------------------------------------------------------------------------------------

ANNA = Person("Anna Smit", "k1", "Acme", ("anna@a.b",), ("021 555 0100",), ("Annie",), "Anna.md")
MEETINGS = [
    pytest.param(Person("Somebody", "K1"), "id", id="the same id"),
    pytest.param(
        Person("anna smit", emails=("ANNA@a.b",), company="Other"), "email", id="name and e-mail address"
    ),
    pytest.param(
        Person("Anna Smit", phones=("+27 21 555 0100",), company="Other"), "phone", id="name and phone"
    ),
    pytest.param(Person("Annie", phones=("021 555 0100",)), "phone", id="alias and phone"),
    pytest.param(Person("Anna Smit"), "name", id="the name alone"),
    pytest.param(Person("Anna Smit", company="ACME"), "name", id="name and company"),
    pytest.param(Person("Anna Smit", company="Other"), "", id="another company"),
    pytest.param(Person("Anna Smit", emails=("x@y.z",)), "", id="another address"),
    pytest.param(Person("Anna Smit", phones=("011 555 9999",)), "", id="another number"),
    pytest.param(Person("Ben Smit", phones=("021 555 0100",), company="Acme"), "", id="a switchboard"),
    pytest.param(Person("Ben", emails=("anna@a.b",)), "", id="a shared address"),
    pytest.param(Person("Smit"), "", id="a family name"),
]


@pytest.mark.parametrize(("new", "by"), MEETINGS)
def test_who_is_there_already(new, by):
    found = Register([ANNA]).find(new)
    assert (found.by if found else "") == by


def test_two_of_a_name_are_not_both_taken_for_a_third_who_tells_little():
    register = Register([Person("Anna Smit", path="a.md")])
    first = Person("Anna Smit", emails=("a@b.c",))
    match = register.find(first)
    register.merge(match.person, first)
    assert register.find(Person("Anna Smit", emails=("x@y.z",))) is None


few = st.sampled_from
people = st.builds(
    Person,
    few(["Anna", "Ben"]),
    few(["", "1", "2"]),
    few(["", "Acme", "Other"]),
    few([(), ("a@b.c",), ("x@y.z", "a@b.c")]),
    few([(), ("088 555 0112",), ("+27 88 555 0112",), ("021 555 9999",), ("5550112",), ("soon",)]),
    aliases=st.just(()),
    path=st.just(""),
)


@given(known=st.lists(people, max_size=6), new=people)
def test_whoever_is_found_agrees_and_whoever_agrees_is_found(known, new):
    register = Register([])
    for number, person in enumerate(known):
        register.add(person._replace(path=str(number), id=""), person.id)
    match = register.find(new)
    named = [each for each in known if each.name == new.name]
    free = [
        each
        for each in named
        if not (each.id and new.id and each.id != new.id)
        and not (each.company and new.company and each.company != new.company)
        and not (each.emails and new.emails)
        and not (_has_number(each) and _has_number(new))
    ]
    if any(set(each.emails) & set(new.emails) for each in named):
        assert match.by == "email"
    elif any(_share_number(each, new) for each in named):
        assert match.by == "phone"
    else:
        assert (match is not None) == bool(free)
    if match:
        assert match.person.name == new.name


def _has_number(person):
    return any(len(phone) > 5 for phone in person.phones)


def _share_number(one, other):
    return _has_number(one) and _has_number(other) and one.phones[0][-4:] == other.phones[0][-4:]


def test_thousands_of_one_name_are_told_apart_in_time():
    register = Register([])
    for number in range(6_000):
        person = Person("Info", str(number), emails=(f"{number}@b.c",))
        assert register.find(person) is None
        register.add(person._replace(path=str(number)), str(number))
    assert register.find(Person("Info", emails=("5999@b.c",))).person.path == "5999"


# --- Filling ---------------------------------------------------------------------------------------------


@given(
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
    phone=st.text(string.digits + " +", min_size=1, max_size=12).filter(str.strip),
)
def test_filling_touches_empty_keys_only(newline, mark, phone):
    from notesync.followup.settings import Settings

    lines = ["---", "type: client  # mine", "company: Acme", "phone:", "odd:   'x'", "---", "Body", ""]
    data = (mark + newline.join(lines)).encode()
    fields = {"phone": (phone.strip(),), "company": ("Other",)}
    filled = fill_note(data, "a.md", fields, Settings())
    note = parse_note(filled, "a.md")
    assert [value.text for value in note.get("phone").values] == [phone.strip()]
    kept = [line for line in lines if not line.startswith("phone")]
    found = filled.decode().removeprefix("\ufeff").split(newline)
    assert [line for line in found if not line.startswith("phone")] == kept
    assert fill_note(filled, "a.md", fields, Settings()) == filled
