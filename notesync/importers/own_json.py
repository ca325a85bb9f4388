"""What ``notesync export --format json`` wrote -> a record for every client.

In: that file, also when another program has set its lines anew.  Out: records with the keys as they stood there.  It
is read whole, so one that is too large is refused: CSV and vCard are read piece by piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from notesync.importers.decoding import decode
from notesync.importers.record import FIELDS, Record, Source, clean_line, clean_text, collect
from notesync.problems import ERROR, WARNING, Problem

LARGEST = 64 * 1024 * 1024  # bytes: twenty thousand clients have some forty


def read_clients(source: Source) -> Iterator[Record | Problem]:
    """The records of our own export."""
    data = source.stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        message = f"This file has more than {LARGEST // 1024**2} MB, so nothing of it is read."
        yield source.report(1, "too-large", ERROR, message, "Export as csv or vcf instead.")
        return
    text = decode(data, json.detect_encoding(data))
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    clients = told.get("clients") if isinstance(told, dict) else None
    if not isinstance(clients, list):
        message = "This is not what 'notesync export --format json' writes, so nothing of it is read."
        yield source.report(1, "bad-json", ERROR, message, "Export it again, or bring in a csv or vcf.")
        return
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if line.startswith("  {")]
    places = lines if len(lines) == len(clients) else [1] * len(clients)
    for line, client in zip(places, clients, strict=True):
        yield _read_client(source, line, client)


def _read_client(source: Source, line: int, client: object) -> Record | Problem:
    found = client if isinstance(client, Mapping) else {}
    name = clean_line(found["name"]) if isinstance(found.get("name"), str) else ""
    if not name:
        message = "An item does not say whom it is about, so it was left out."
        return source.report(line, "empty-record", WARNING, message, 'Give it a "name".')
    fields = {key: _read_texts(found.get(key)) for key in FIELDS if key != "name"}
    identity = "".join(fields.pop("id", ())[:1])
    body = found.get("body")
    return Record(
        line,
        name,
        {key: texts for key, texts in fields.items() if texts},
        clean_text(body).strip("\n") if isinstance(body, str) else "",
        identity=identity,
    )


def _read_texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return collect(each for each in values if isinstance(each, str))
