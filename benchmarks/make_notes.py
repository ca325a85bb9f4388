"""Write a made-up vault to measure with: the same bytes for the same arguments, on every machine.

    python benchmarks/make_notes.py DIR --notes 10000 [--seed 1] [--today 2026-11-22]

Client notes of 1 to 6 KB: fourteen header keys or more, five log entries on average, tasks in both formats,
some free text; three people to a company; three in seven were sold something within three years and two in
seven have a quote, with most steps of their plans logged.  One note in ten is somebody's other note.
Everybody in them is invented.  The note with number *n* is the same in every size of vault, so that what differs
between sizes is their number alone.
"""

from __future__ import annotations

import argparse
import os
import random
from datetime import date, timedelta
from pathlib import Path

TODAY = date(2026, 11, 22)
PER_FOLDER = 200

FIRST = str.split(
    "Amahle Ben Chloé Dirk Elna Farid Grace Hanna Ivo Jabu Karin Lwazi Mia Neo Olga Pieter Rosa Sam Tumi Zoë"
)
LAST = str.split(
    "Adams Botha Coetzee Dlamini Erasmus Fourie Govender Hlongwane Isaacs Jacobs Khumalo Louw Mokoena Naidoo"
)
TRADES = str.split(
    "Bakery Clinic Dental Farm Garage Hardware Joinery Laundry Nursery Optics Pharmacy Roofing School Tours"
)
STAGES = ("lead", "prospect", "prospect", "customer", "customer", "customer", "dormant")
EVERY = ("week", "2 weeks", "month", "month", "quarter", "10 days", "15 workdays")
CHANNELS = ("call", "visit", "email", "WhatsApp", "video", "rang", "met")
OUTCOMES = ("", "", "", "", " (no answer)", " (voicemail)")
AFTER_SOLD = ((1, "thank-you"), (2, "paperwork"))
AFTER_DELIVERY = (
    (-4, "delivery-control"), (-1, "delivery-date"), (1, "delivery-check"), (2, "usage"), (4, "satisfaction"),
    (35, "feedback"), (70, "testimonial"), (190, "improvements"), (340, "appreciation"),
)  # fmt: skip
AFTER_QUOTED = ((2, "quote-received"), (6, "quote-decision"))
WORDS = str.split(
    "asked about the delivery of the second machine and whether the old one can stay until spring wants a "
    "quote by the end of the month is happy with the service prefers to be called before nine told us that "
    "the budget is decided in January by her partner likes the new model better but not its price"
)


def write_vault(folder: Path, notes: int, seed: int = 1, today: date = TODAY) -> list[Path]:
    """Write ``notes`` notes and settings into a new folder; return the client notes' paths, in order."""
    folder.mkdir(parents=True)
    (folder / "notesync.yaml").write_text(_SETTINGS.format(today - timedelta(days=400)), encoding="utf-8")
    clients = []
    for number in range(notes):
        chance = random.Random(f"{seed} {number}")
        path = (
            folder
            / ("Notes" if number % 10 == 9 else "Clients")
            / str(number // PER_FOLDER)
            / _name(number, chance)
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        text = _other_note(chance) if number % 10 == 9 else make_client(number, chance, today)
        path.write_text(text, encoding="utf-8")
        if number % 10 != 9:
            clients.append(path)
    _make_old(folder)
    return clients


def make_client(number: int, chance: random.Random, today: date = TODAY, action: str = "") -> str:
    """The text of one client note; ``action`` is what its next contact is for."""

    def day(earliest: int, latest: int) -> str:
        return str(today + timedelta(days=chance.randint(earliest, latest)))

    first, last, trade = chance.choice(FIRST), chance.choice(LAST), chance.choice(TRADES)
    stage = chance.choice(STAGES)
    anchors, steps = _make_course(stage, chance, today)
    header = [
        "type: client",
        f"id: c{number:06}",
        f"name: {first} {last}",
        f"company: {last} {trade} {number // 3}",
        f"phone: 07{chance.randint(10_000_000, 99_999_999)}",
        f"email: {last.lower()}{number}@example.com",
        f"owner: {chance.choice(('Anna', 'Ben', 'Thabo'))}",
        f"stage: {stage}",
        f"value: {chance.randint(2, 400) * 1000}",
        f"contact_by: {chance.choice(CHANNELS)}",
        f"every: {chance.choice(EVERY)}",
        f"last_contact: {day(-90, -1)}",
        f"next_contact: {day(-20, 60)}" if action or chance.random() < 0.5 else "source: exhibition",
        f"next_action: {action or _say(chance, 6)}",
        *anchors,
    ]
    log = sorted((day(-400, -2) for _ in range(chance.randint(2, 8))), reverse=True)
    entries = [f"- {entry} call: {_say(chance, chance.randint(4, 12))} #{tag}" for entry, tag in steps]
    entries += [
        f"- {entry} {chance.choice(CHANNELS)}{chance.choice(OUTCOMES)}: {_say(chance, chance.randint(8, 30))}"
        for entry in log
    ]
    entries.sort(reverse=True)
    tasks = [
        f"- [x] {_say(chance, 4)} ✅ {day(-60, -3)}",
        f"- [ ] {_say(chance, 3)}",
        f"- [ ] {_say(chance, 5)} 📅 {day(-10, 40)}",
        f"- [ ] {_say(chance, 5)} [due:: {day(-10, 90)}]",
    ][: chance.randint(0, 4)]
    text = [_say(chance, chance.randint(40, 200)) + "." for _ in range(chance.randint(1, 5))]
    return "\n".join(
        [
            "---",
            *header,
            "---",
            f"# {first} {last}",
            "",
            "\n\n".join(text),
            "",
            "## Tasks",
            *tasks,
            "",
            "## Log",
            *entries,
            "",
        ]
    )


def _make_course(stage: str, chance: random.Random, today: date) -> tuple[list[str], list[tuple[date, str]]]:
    """What starts a plan, and the steps that were logged: nine in ten of those that were due by now."""
    if stage == "customer":
        sold = today - timedelta(days=chance.randint(0, 900))
        delivery = sold + timedelta(days=chance.randint(2, 40))
        anchors = [f"sold: {sold}", f"delivery: {delivery}"]
        steps = [(sold + timedelta(days=after), tag) for after, tag in AFTER_SOLD]
        steps += [(delivery + timedelta(days=after), tag) for after, tag in AFTER_DELIVERY]
    elif stage == "prospect":
        quoted = today - timedelta(days=chance.randint(1, 60))
        anchors, steps = (
            [f"quoted: {quoted}"],
            [(quoted + timedelta(days=after), tag) for after, tag in AFTER_QUOTED],
        )
    else:
        anchors, steps = [], []
    return anchors, [(on, tag) for on, tag in steps if on < today and chance.random() < 0.9]


def _other_note(chance: random.Random) -> str:
    paragraphs = "\n\n".join(_say(chance, 120) + "." for _ in range(3))
    return f"---\ntags: [reading]\n---\n# {_say(chance, 4)}\n\n{paragraphs}\n"


def _name(number: int, chance: random.Random) -> str:
    return f"{chance.choice(FIRST)} {chance.choice(LAST)} {number:06}.md"


def _say(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(WORDS, k=count))


def _make_old(folder: Path) -> None:
    """Give every file an old time: a fresh one is read again, which is not what is measured."""
    for path in folder.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


_SETTINGS = """\
vault_id: benchmark
since: {}
timezone: Africa/Johannesburg
currency: ZAR
default_every: {{customer: month, prospect: 2 weeks, lead: week, dormant: quarter}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY)
    options = parser.parse_args()
    write_vault(options.folder, options.notes, options.seed, options.today)


if __name__ == "__main__":
    main()
