"""What Obsidian is given of notesync: a client template, a base of follow-ups, the types of properties.

In: how a vault calls our keys, its folders of templates, its ``types.json``.  Out: the texts of files.  The
texts themselves are data, in ``kit/``.  It knows no disk, and does not know whether a file is there.

A base sees properties and nothing else, so what it lists is what ``next_contact`` says; the rest of the
follow-ups, and what the log has settled, only notesync knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from notesync.notes.quoting import render_value

TEMPLATE, BASE, TYPES = "Client.md", "Follow-ups.base", "types.json"
TEMPLATE_FOLDER = "Templates"
"""Where templates are kept in a vault that does not say where."""


class Names(NamedTuple):
    """What a vault calls things, as its settings say: our keys by its own names, more types, the log."""

    keys: Mapping[str, str]
    types: Sequence[str] = ()
    log: str = "Log"

    def key(self, key: str) -> str:
        """The vault's own name of a key of ours."""
        return self.keys.get(key, key)


# --- The template ----------------------------------------------------------------------------------------


def render_template(names: Names) -> str:
    """The built-in client template, in the vault's own names."""

    def rename(found: re.Match[str]) -> str:
        return render_value(names.key(found[1])) + ":"

    header, fence, body = _read_kit(TEMPLATE).rpartition("---\n")
    header = re.sub(r"^([a-z_]+):", rename, header, flags=re.MULTILINE)
    return header + fence + body.replace("## Log", f"## {names.log}")


# --- The base --------------------------------------------------------------------------------------------


def render_base(names: Names, template_folders: Sequence[str]) -> str:
    """The base, in the vault's own names, without what is in its folders of templates."""
    lines = _read_kit(BASE).splitlines(keepends=True)
    return "".join(_render_line(line, names, template_folders) for line in lines)


def _render_line(line: str, names: Names, folders: Sequence[str]) -> str:
    if "file.inFolder" in line:
        return "".join(_fill(line, f"!file.inFolder({_quote(folder)})") for folder in folders)
    if (found := re.fullmatch(r"([ ]+(?:- )?(?:property: )?)note\.([a-z_]+)(:?\n)", line)) is not None:
        return f"{found[1]}{render_value(f'note.{names.key(found[2])}')}{found[3]}"
    if (found := re.fullmatch(r"[ ]+- ('?)([^'\n]*[.(][^'\n]*)\1\n", line)) is not None:
        wanted = _rename(found[2], names)
        return line if wanted == found[2] else _fill(line, wanted)
    return line


def _fill(line: str, expression: str) -> str:
    """The line's list item with another expression; in quotes, whatever stands in it."""
    quoted = expression.replace("'", "''")
    return f"{line[: line.index('- ')]}- '{quoted}'\n"


def _rename(expression: str, names: Names) -> str:
    expression = re.sub(r"note\.([a-z_]+)", lambda found: _render_property(names.key(found[1])), expression)
    expression = re.sub(
        r'hasProperty\("([a-z_]+)"\)', lambda found: f"hasProperty({_quote(names.key(found[1]))})", expression
    )
    words = dict.fromkeys(word for each in ("client", *names.types) for word in (each, each.title()))
    return expression.replace('"client", "Client"', ", ".join(map(_quote, words)))


def _render_property(name: str) -> str:
    plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) is not None
    return f"note.{name}" if plain else f"note[{_quote(name)}]"


def _quote(text: str) -> str:
    """A text literal of a base's formulas, which are as those of JavaScript."""
    return json.dumps(text, ensure_ascii=False)


# --- Types of properties ---------------------------------------------------------------------------------


class Merged(NamedTuple):
    """The file with the types that it lacked, and those that it has otherwise: by key, theirs and ours."""

    data: bytes
    added: tuple[str, ...]
    other: tuple[tuple[str, str, str], ...]


def render_types(names: Names) -> bytes:
    """A whole ``types.json``, for a vault that has none."""
    return (json.dumps({"types": _list_types(names)}, ensure_ascii=False, indent=2) + "\n").encode()


def _list_types(names: Names) -> dict[str, str]:
    types: dict[str, str] = json.loads(_read_kit(TYPES))["types"]
    return {names.key(key): word for key, word in types.items()}


def merge_types(data: bytes, names: Names) -> Merged | None:
    """Obsidian's ``types.json`` with the types that it lacks, every byte that is there kept.

    None when it is not what Obsidian writes: then there is nothing that could be added safely.
    """
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    try:
        text = data[len(mark) :].decode()
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(there := found.get("types", {}), dict):
        return None
    known = {key.casefold(): word for key, word in there.items()}  # Obsidian does not tell cases apart
    wanted = _list_types(names)
    added = {key: word for key, word in wanted.items() if key.casefold() not in known}
    other = tuple(
        (key, str(has), word)
        for key, word in wanted.items()
        if (has := known.get(key.casefold(), word)) != word
    )
    if added:
        text = _add_types(text, added, "types" in found)
        if json.loads(text) != {**found, "types": {**there, **added}}:
            return None  # such as `types` twice, of which Obsidian knows which counts
    return Merged(mark + text.encode(), tuple(added), other)


def _add_types(text: str, added: Mapping[str, str], has_types: bool) -> str:
    if has_types:
        return _insert(text, *_find_types(text), added, 2)
    return _insert(text, text.index("{"), text.rindex("}"), {"types": dict(added)}, 1)


def _find_types(text: str) -> tuple[int, int]:
    """Where the braces stand of the outermost object's last member that is an object called ``types``."""
    depth, start, key = 0, -1, ""
    found = (0, 0)
    for sign in re.finditer(r'("(?:[^"\\]|\\.)*")(\s*:)?|[{}\[\]]', text):
        if sign[0] in "{[":
            if depth == 1 and key == "types":
                start = sign.start()
            depth += 1
        elif sign[0] in "}]":
            depth -= 1
            if depth == 1 and start >= 0:
                found, start = (start, sign.start()), -1
        elif depth == 1 and sign[2]:
            key = json.loads(sign[1])
    return found


def _insert(text: str, start: int, end: int, members: Mapping[str, object], depth: int) -> str:
    """The object between two braces with more members behind its last, laid out as those are."""
    inner = text[start + 1 : end]
    newline = "\r\n" if "\r\n" in text else "\n"
    outside = newline + "  " * (depth - 1)
    lead = inner[: len(inner) - len(inner.lstrip())] if inner.strip() else outside + "  "
    if newline in lead:
        # What json indents by two lies one level in already.
        whole = json.dumps(members, ensure_ascii=False, indent=2)[1:-1].strip()
        rendered, comma = whole.replace("\n  ", lead), ","
    else:
        colon = ": " if '": ' in inner else ":"
        comma = "," + colon[1:]
        rendered = json.dumps(members, ensure_ascii=False, separators=(comma, colon))[1:-1]
        lead = ""
    if not inner.strip():
        return text[: start + 1] + lead + rendered + ("" if newline in inner else outside) + text[start + 1 :]
    at = start + 1 + len(inner.rstrip())
    return text[:at] + comma + lead + rendered + text[at:]


# --- The files of the package ----------------------------------------------------------------------------


def _read_kit(name: str) -> str:
    from pkgutil import get_data

    return (get_data(__package__ or "", f"kit/{name}") or b"").decode().replace("\r\n", "\n")
