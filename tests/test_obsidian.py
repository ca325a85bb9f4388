"""``init --obsidian``: a folder as Obsidian left it, then what is in it after."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from commands import run, write
from hypothesis import given
from hypothesis import strategies as st

from notesync.followup.client import is_client
from notesync.followup.client_fields import FIELDS, KEYS
from notesync.followup.settings import Settings
from notesync.notes.note import parse_note
from notesync.publish.obsidian import Names, merge_types, render_base, render_template, render_types
from notesync.store.obsidian import Templates, find_configs, read_templates
from notesync.store.vault import Vault
from notesync.sync.kit import write_kit

HOME = Path(__file__).parents[1]
OURS = Names({})
TYPES = json.loads(render_types(OURS))["types"]


pytestmark = pytest.mark.usefixtures("own_places")


@pytest.fixture
def vault(quick_path, monkeypatch):
    """A folder that Obsidian has been told of, where we are."""
    root = quick_path / "vault"
    (root / ".obsidian").mkdir(parents=True)
    monkeypatch.chdir(root)
    return root


def list_files(root):
    """Every file with its bytes and its time."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


# --- The command -----------------------------------------------------------------------------------------


def test_init_gives_an_obsidian_vault_template_base_and_types(vault):
    done = run("init")
    assert done.exit_code == 0
    assert sorted(list_files(vault)) == [
        ".obsidian/types.json", "Follow-ups.base", "Templates/Client.md", "notesync.yaml",
    ]  # fmt: skip
    assert [line.rpartition("/")[2] for line in done.stdout.splitlines()] == [
        "notesync.yaml written: the settings, each with a comment.",
        "Client.md written.",
        "Follow-ups.base written.",
        "types.json written.",
    ]
    assert "name Templates under Settings, Templates" in done.stderr
    assert "notesync agenda --format md > Agenda.md" in done.stderr


def test_a_second_run_changes_nothing_and_says_so(vault):
    write(vault, ".obsidian/types.json", '{\n  "types": {\n    "aliases": "aliases"\n  }\n}')
    run("init")
    before = list_files(vault)
    done = run("init")
    assert (done.exit_code, list_files(vault)) == (0, before)
    assert done.stdout.count("was there already and was left as it is.") == 4
    assert done.stdout.endswith("Nothing was missing for Obsidian.\n")


def test_nothing_that_is_there_is_overwritten(vault):
    mine = {
        ".obsidian/templates.json": '{"folder": "My/Templates"}',
        ".obsidian/types.json": '{"types": {"next_contact": "datetime"}}',
        "My/Templates/client.md": "mine",
        "follow-ups.BASE": "mine",
        "notesync.yaml": "currency: ZAR\n",
    }
    for path, text in mine.items():
        write(vault, path, text)
    done = run("init")
    assert done.exit_code == 0
    found = {path: data.decode() for path, (data, _) in list_files(vault).items()}
    assert set(found) == set(mine)
    types = found.pop(".obsidian/types.json")
    assert found == {path: text for path, text in mine.items() if path in found}
    assert json.loads(types)["types"] == TYPES | {"next_contact": "datetime"}
    assert "(next_contact is datetime there, where notesync would have it date)" in done.stdout


def test_the_template_folder_is_the_one_that_obsidian_names(vault):
    write(vault, ".obsidian/templates.json", '{"folder": "Extras/Templates/"}')
    done = run("init")
    assert (vault / "Extras/Templates/Client.md").exists()
    assert "Template folder location" not in done.stderr
    assert "    - '!file.inFolder(\"Extras/Templates\")'\n" in (vault / "Follow-ups.base").read_text()


def test_a_client_template_of_another_name_is_enough(vault):
    write(vault, ".obsidian/templates.json", '{"folder": "T"}')
    write(vault, "T/Person.md", "---\ntype: client\ncreated: '{{date}}'\n---\n")
    assert "T/Person.md was there already" in run("init").stdout
    assert os.listdir(vault / "T") == ["Person.md"]


def test_a_renamed_folder_of_settings_is_found(vault):
    os.rename(vault / ".obsidian", vault / ".obsidian-work")
    write(vault, ".obsidian-work/app.json", "{}")
    write(vault, ".obsidian-work/core-plugins.json", "{}")
    write(vault, ".git/config", "")
    assert run("init").exit_code == 0
    assert (vault / ".obsidian-work/types.json").exists()
    assert not (vault / ".obsidian").exists()


def test_a_folder_without_obsidian_gets_nothing_for_it_unless_asked(vault):
    os.rmdir(vault / ".obsidian")
    run("init")
    assert list(list_files(vault)) == ["notesync.yaml"]
    assert run("init").exit_code == 4
    assert run("init", "--obsidian").exit_code == 0
    assert (vault / ".obsidian/types.json").exists()


def test_no_obsidian(vault):
    run("init", "--no-obsidian")
    assert list(list_files(vault)) == ["notesync.yaml"]
    assert run("init", "--no-obsidian").exit_code == 4


@pytest.mark.parametrize("types", ["", "{", "[]", '{"types": []}', '{"types": {}, "types": 1}', "\xff"])
def test_types_that_obsidian_would_not_write_are_left_alone(vault, types):
    (vault / ".obsidian/types.json").write_bytes(types.encode("latin-1"))
    done = run("init")
    assert done.exit_code == 0
    assert "types.json was left as it is (it is not what Obsidian writes there)." in done.stdout
    assert "Nothing was missing" not in run("init").stdout
    assert (vault / ".obsidian/types.json").read_bytes() == types.encode("latin-1")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may do anything is refused nothing")
def test_what_may_not_be_written_is_refused_and_the_rest_is_done(vault):
    os.chmod(write(vault, ".obsidian/types.json", '{"types": {}}'), 0o444)
    done = run("init")
    assert done.exit_code == 4
    assert ".obsidian/types.json may only be read" in done.stderr
    assert (vault / "Follow-ups.base").exists()


def test_a_link_out_of_the_vault_is_not_followed(vault, quick_path):
    outside = write(quick_path, "outside.json", '{"types": {}}')
    os.symlink(outside, vault / ".obsidian/types.json")
    done = run("init")
    assert (done.exit_code, outside.read_text()) == (4, '{"types": {}}')
    assert (vault / "Follow-ups.base").exists()


class Busy(Vault):
    """A vault in which Obsidian saves its types in the very moment in which ours are added."""

    saves = 0

    def replace(self, path, expected, wished, pause=None):
        super().replace(path, expected, wished)
        self.saves += 1
        return b'{"types": {"mine": "text"}}' if self.saves == 1 else None


def test_what_obsidian_saves_in_that_moment_is_kept(vault):
    write(vault, ".obsidian/types.json", '{"types": {}}')
    list(write_kit(Busy(str(vault)), Settings()))
    assert json.loads((vault / ".obsidian/types.json").read_text())["types"] == {"mine": "text"} | TYPES


def test_the_template_is_no_client_and_makes_one(vault):
    run("init")
    assert "0 clients" in run("doctor").stdout
    assert run("new", "Anna").stdout.startswith("Clients/Anna.md: made from Templates/Client.md. ")
    assert "1 client\n" in run("doctor").stdout


def test_the_wrong_settings_do_not_stop_it(vault):
    write(vault, "notesync.yaml", "workdys: [mon]\n")
    assert run("init").exit_code == 0
    assert (vault / "Follow-ups.base").exists()


# --- Obsidian's folders of settings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param([], [], id="none"),
        pytest.param([".obsidian/x"], [".obsidian"], id="the usual one, whatever is in it"),
        pytest.param([".work/app.json", ".work/appearance.json"], [".work"], id="another name"),
        pytest.param([".work/app.json"], [], id="one file is not enough"),
        pytest.param(["work/app.json", "work/appearance.json"], [], id="not hidden"),
        pytest.param([".b/app.json", ".b/graph.json", ".obsidian/app.json"], [".obsidian", ".b"], id="two"),
        pytest.param(["n/.obsidian/app.json"], [], id="another vault's"),
    ],
)
def test_which_folders_are_obsidians(quick_path, files, found):
    os.rmdir(quick_path / "home")
    for path in files:
        write(quick_path, path, "{}")
    assert find_configs(str(quick_path)) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"folder": "/T/", "dateFormat": "D", "timeFormat": "H"}', Templates("T", "D", "H")),
        ('{"folder": null}', Templates()),
        ('{"folder": "a/../.."}', Templates()),
        ("[]", Templates()),
        ("{", Templates()),
        ("[" * 100_000, Templates()),
    ],
)
def test_what_the_templates_plugin_is_told(vault, text, told):
    write(vault, ".obsidian/templates.json", text)
    assert read_templates(Vault(str(vault))) == [told]


# --- The template and the base ---------------------------------------------------------------------------

OWN = Names({"next_contact": "Follow Up", "type": "kind", "owner": "it's"}, ("person",), "Kontakte")


@pytest.mark.parametrize("names", [OURS, OWN], ids=["ours", "the vault's own"])
def test_the_template_is_never_a_client_and_its_keys_are_ours(names):
    settings = Settings(fields=dict(names.keys), client_types=("person",))
    note = parse_note(render_template(names).encode(), "Client.md")
    assert note.template
    assert not is_client(note, settings)
    assert {item.key for item in note.properties} <= {names.key(key) for key in KEYS}
    assert note.text.endswith(f"\n## {names.log}\n")


def list_expressions(filters):
    """Every condition of a tree of filters."""
    if isinstance(filters, str):
        return [filters]
    assert len(filters) == 1
    assert set(filters) <= {"and", "or", "not"}
    return [each for (branch,) in [filters.values()] for item in branch for each in list_expressions(item)]


# What Obsidian Help names under "Bases syntax" and "Functions" (of August 2026), as far as the base uses it.
FUNCTIONS = {"list", "containsAny", "isEmpty", "isType", "today", "file.hasProperty", "file.inFolder"}


@pytest.mark.parametrize(("names", "folder"), [(OURS, "Templates"), (OWN, 'Mine\'s "T"')])
def test_the_base_is_what_obsidian_reads(names, folder):
    base = yaml.safe_load(render_base(names, [folder]))
    assert set(base) == {"filters", "properties", "views"}
    assert [view["name"] for view in base["views"]] == [
        "Overdue", "This week", "By stage", "By owner", "No day agreed",
    ]  # fmt: skip
    known = {names.key(key) for key in KEYS}
    columns = set(base["properties"])
    for view in base["views"]:
        assert set(view) <= {"type", "name", "filters", "groupBy", "order", "sort"}
        assert view["type"] == "table"
        used = [*view["order"], *(each["property"] for each in view["sort"])]
        used += [view["groupBy"]["property"]] if "groupBy" in view else []
        assert set(used) <= columns
    assert {column.removeprefix("note.") for column in columns} - {"file.name"} <= known
    conditions = list_expressions(base["filters"])
    conditions += [
        each for view in base["views"] for each in list_expressions(view.get("filters", {"and": []}))
    ]
    for condition in conditions:
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', condition)
        assert set(re.findall(r"((?:file\.)?[A-Za-z]+)\(", bare)) <= FUNCTIONS, condition
        assert set(re.findall(r"note\.(\w+)", bare)) <= known, condition
        assert {
            json.loads(f'"{key}"') for key in re.findall(r'note\["((?:[^"\\]|\\.)*)"\]', condition)
        } <= known
    assert f"!file.inFolder({json.dumps(folder)})" in conditions


def test_the_base_asks_for_the_vaults_own_names():
    text = render_base(OWN, ["A", "B"])
    assert '\'list(note.kind).containsAny("client", "Client", "person", "Person")\'' in text
    assert "        - '!note[\"Follow Up\"].isEmpty()'\n" in text
    assert "      property: note.it's\n" in text
    assert "next_contact" not in text
    assert text.count("inFolder") == 2


def test_the_kit_is_installed_with_the_program():
    told = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = told["package-data"]["notesync.publish"]
    files = [
        path.relative_to(HOME / "notesync/publish") for path in (HOME / "notesync/publish/kit").iterdir()
    ]
    assert len(files) == 3
    assert all(any(path.match(pattern) for pattern in patterns) for path in files)


# --- Types -----------------------------------------------------------------------------------------------


def test_every_type_is_of_a_key_that_is_read_and_every_date_has_one():
    read_as_days = {"_read_date", "_read_anchor", "_read_delivery"}
    days = {field.key for field in FIELDS if field.parse.__name__ in read_as_days}
    assert {key for key, word in TYPES.items() if word == "date"} == days
    assert set(TYPES) <= {field.key for field in FIELDS}


TWO = '"a": "text",\n    "b": "text"'
AWKWARD = [
    pytest.param("{}", id="empty"),
    pytest.param(" { } \n", id="empty, with blanks"),
    pytest.param('{"types":{}}', id="no types yet"),
    pytest.param('{\n  "types": {\n    ' + TWO + "\n  }\n}", id="as Obsidian writes it"),
    pytest.param('{\r\n\t"types": {\r\n\t\t"a": "text"\r\n\t}\r\n}\r\n', id="tabs and CRLF"),
    pytest.param('{"types":{"a":"text","b":"text"},"x":1}', id="on one line"),
    pytest.param('{"types": {"a": "text"}, "x": [{"types": {}}]}', id="types deeper in"),
    pytest.param('{"x": {"types": {"a": "text"}}}', id="types only deeper in"),
    pytest.param('{"x": "\\"types\\": {", "types": {"}": "{"}}', id="braces in texts"),
    pytest.param('{"ty\\u0070es": {"a": "text"}}', id="an escape in the key"),
    pytest.param('{"types": {"c": "d"}, "types": {"e": "f"}}', id="types twice"),
    pytest.param('\ufeff{"types": {"a": "text"}}', id="a byte-order mark"),
    pytest.param('{"types": {"Next_Contact": "text", "a": 5, "b": null}}', id="other cases, other values"),
]


@pytest.mark.parametrize("text", AWKWARD)
def test_types_are_added_and_every_byte_that_is_there_stays(text):
    check_merge(text.encode())


def check_merge(data):
    merged = merge_types(data, OURS)
    assert merged is not None
    before, after = (json.loads(each.decode("utf-8-sig")) for each in (data, merged.data))
    wanted = {key: word for key, word in TYPES.items() if key in merged.added}
    assert after == before | {"types": before.get("types", {}) | wanted}
    assert {key.casefold() for key in TYPES} <= {key.casefold() for key in after["types"]}
    assert is_woven_in(data, merged.data)
    again = merge_types(merged.data, OURS)
    assert (again.data, again.added) == (merged.data, ())


def is_woven_in(old, new):
    """Whether the new bytes are the old ones with one piece put in between."""
    grown = len(new) - len(old)
    return any(new[:at] + new[at + grown :] == old for at in range(len(old) + 1))


words = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
keys = words | st.sampled_from([*TYPES, "Phone", "types"])


@given(
    st.dictionaries(words, values, max_size=3),
    st.none() | st.dictionaries(keys, values, max_size=4),
    st.sampled_from([None, 0, 2, 4, "\t"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_any_file_of_types_keeps_every_byte(others, types, indent, crlf, ascii_only, tight):
    found = others | ({} if types is None else {"types": types})
    if types is None:
        found.pop("types", None)
    separators = (",", ":") if tight else None
    text = json.dumps(found, indent=indent, ensure_ascii=ascii_only, separators=separators)
    check_merge((text.replace("\n", "\r\n") if crlf else text).encode())


def test_the_layout_is_the_files_own():
    text = '{\n    "types": {\n        "a": "text"\n    }\n}'
    lines = merge_types(text.encode(), OURS).data.decode().split("\n")
    assert lines[3] == '        "id": "text",'
    assert lines[-3:] == ['        "do_not_contact": "checkbox"', "    }", "}"]
    assert b'"a":"text","id":"text",' in merge_types(b'{"types":{"a":"text"}}', OURS).data
    assert b'"a": "text", "id": "text", ' in merge_types(b'{"types": {"a": "text"}}', OURS).data
    assert b'"x": 1,\n  "types": {\n    "id"' in merge_types(b'{\n  "x": 1\n}', OURS).data


@given(st.binary(max_size=60) | st.sampled_from([b'{"types": {', b'{"types": 3}', b"[" * 5000, b"null"]))
def test_what_is_not_obsidians_is_left_alone_or_kept(data):
    merged = merge_types(data, OURS)
    assert merged is None or is_woven_in(data, merged.data)
