"""The plans of follow-up as values: those of the package (``plans/*.yaml``), as the settings change them.

In: the package's data and the `plans` of the settings, which are nodes with their places.  Out:
:class:`Plans`, and every mistake of the settings as a :class:`Problem` at its line and column.  This module
knows of a client no more than the plans that the note names, and no day: which steps a client is at is the
business of ``steps``.

What the settings may write below ``plans``::

    plans:
      after-sale:                     # a plan of the package
        testimonial: none             # a step switched off: none, off, no or false
        satisfaction: {to: 9 days}    # some keys of a step changed, the others kept
        second-visit: {from: 50 days, to: 60 days, kind: contact}   # a step added
      renewal: none                   # a plan switched off
      installation:                   # a plan of one's own: its anchor, and its steps
        anchor: go_live
        steps:
          - {step: first-week, from: 5 workdays, to: 7 workdays, title: Ask how the first week was}

Steps stand by their names, directly below the plan or below ``steps``, or as a list with a ``step`` each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pkgutil import get_data
from typing import TYPE_CHECKING, Any, NamedTuple

from notesync.followup.follow_up import KINDS
from notesync.followup.intervals import Interval, parse_interval, parse_offset
from notesync.followup.settings import SETTINGS_FILE
from notesync.followup.settings_yaml import LIST, MAP, TEXT
from notesync.problems import ERROR, WARNING, Problem, find_nearest

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.settings import Settings

    Place = tuple[int, int]
    Node = tuple[str, int, int, Any]

BUILT_IN, SETTINGS, BOTH = "built-in", "settings", "both"

COMPLAINT, RESOLVED = "complaint", "resolved"
"""Anchors that the log sets, once for each complaint."""

ANCHORS = ("quoted", "renewal", COMPLAINT, RESOLVED, "sold", "delivery", "go_live", "lost")
"""What a step can count from.  Of two on one day the later in this order is the later event."""


class Step(NamedTuple):
    """A step of a plan; ``name`` says which, and ``tag`` settles it in the log.

    The window reaches from ``opens`` to ``closes`` after the first of the ``after`` anchors that is there
    (before it, where negative), and comes again every ``repeat``, ``until`` an anchor or for a length of time.
    ``minutes`` is 0 and ``channel`` '' where the step does not say.  ``by_contact``: an untagged contact
    settles it, too.  ``desk``: it is work on a desk, not a contact.  ``never_missed``: like a task it stays overdue
    for ever; so do promises, complaints and deliveries.
    ``if_delivery_after``: only where the delivery is more than so many days after the sale (0: whenever).
    ``waits_for_complaints``: not while a complaint is open.  ``source`` is where it comes from: ``built-in``,
    ``settings`` or ``both``; ``line`` is its line in the settings, 0 if it is not there.
    """

    plan: str
    name: str
    tag: str
    title: str
    after: tuple[str, ...]
    opens: Interval
    closes: Interval
    kind: str
    channel: str
    minutes: int
    ask: tuple[str, ...]
    needs: tuple[str, ...]
    repeat: Interval | None
    until: str | Interval
    per_sale: bool
    by_contact: bool
    min_value: float | None
    unless_stage: tuple[str, ...]
    desk: bool
    if_delivery_after: int
    waits_for_complaints: bool
    never_missed: bool
    source: str
    line: int


class Plan(NamedTuple):
    """A plan: steps that one anchor starts ('' where each step names its own).

    What is logged counts for it from ``begins`` after the anchor.  An anchor of ``ended_by`` on its day or
    later ends all its steps, one of ``stopped_by`` those that are not open yet.  ``opt_in``: only for clients
    whose note names it.
    """

    name: str
    title: str
    anchor: str
    begins: Interval
    ended_by: tuple[str, ...]
    stopped_by: tuple[str, ...]
    opt_in: bool
    steps: tuple[Step, ...]
    source: str
    line: int


class Off(NamedTuple):
    """A plan (``step`` is '') or a step that the settings switch off, and on which line."""

    plan: str
    step: str
    line: int


class Plans(NamedTuple):
    """The plans in force, what is switched off, and the tags of all steps."""

    plans: tuple[Plan, ...]
    off: tuple[Off, ...]
    tags: frozenset[str]

    def find(self, name: str) -> Plan | None:
        """The plan of that name, as :func:`parse_name` makes it."""
        return next((plan for plan in self.plans if plan.name == name), None)

    def choose(self, names: Sequence[str]) -> tuple[str, ...]:
        """Of the plans that a note names those that there are; ``none`` is one, too."""
        return tuple(name for name in map(parse_name, names) if name == NO_PLAN or self.knows(name))

    def knows(self, name: str) -> bool:
        """Whether there is such a plan, in force or switched off."""
        return self.find(name) is not None or any(off.plan == name for off in self.off)


NO_PLAN = "none"


def parse_name(text: str) -> str:
    """A plan's or step's name as it is compared: lower case, hyphens between its words."""
    return re.sub(r"[\s_]+", "-", text.strip().removeprefix("#").casefold())


def load_plans(settings: Settings) -> tuple[Plans, tuple[Problem, ...]]:
    """The plans in force under these settings, and what is wrong with the settings' own.

    A key that cannot be used keeps its built-in value; a step of one's own that cannot be used is left out.
    """
    reading = _Reading()
    drafts = _draft_built_in(reading)
    if settings.plans:
        _merge_plans(reading, drafts, settings.plans)
    plans = tuple(plan for draft in drafts.values() if not draft.off for plan in _build_plan(reading, draft))
    tags = frozenset(step.tag for plan in plans for step in plan.steps)
    problems = sorted(reading.problems, key=lambda problem: problem[1:3])
    return Plans(plans, tuple(_find_off(drafts)), tags), tuple(problems)


def find_plan_problems(client: Client, plans: Plans, line: int = 1, column: int = 1) -> tuple[Problem, ...]:
    """What is wrong with the plans that a note names; ``line`` and ``column`` say where its `plan` stands.

    One that there is none of is passed over; where that leaves none, those count whose milestone is there.
    """
    problems = []
    for written in client.plan:
        name = parse_name(written)
        if name == NO_PLAN or plans.find(name) is not None:
            continue
        if plans.knows(name):
            message = (
                f"`{name}` is switched off under `plans` in {SETTINGS_FILE}, so nothing comes of it here."
            )
            hint, severity = "Delete it here, or switch it on there.", WARNING
        else:
            known = [plan.name for plan in plans.plans]
            near = find_nearest(name, known)
            message = f"There is no plan `{' '.join(written.split())[:60]}`."
            hint = f"Did you mean `{near}`?" if near else f"Write one of {_list(known)}, or `none`."
            severity = ERROR
        problems.append(Problem(client.path, line, column, "unknown-plan", severity, message, hint))
    return tuple(problems)


# --- Drafts: a plan's keys as they are gathered from the package and from the settings ------------------

_PACKAGED = ("complaint", "quote", "after-sale", "transition", "no-sale", "renewal")
_OFF = frozenset(("none", "off", "false", "no"))


class _Bad(Exception):  # noqa: N818  # never leaves this module
    """A value that a key does not take; ``hint`` says what it takes."""

    def __init__(self, hint: str, message: str = "") -> None:
        super().__init__(message)
        self.hint, self.message = hint, message


class _Reading:
    """Where the problems gather; what the package says has no place and no problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def report(self, place: Place, message: str, hint: str) -> None:
        self.problems.append(Problem(SETTINGS_FILE, *place, "bad-plan", ERROR, message, hint))


class _Draft:
    """A plan, or one step of it, before its keys are understood."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[str, Node] = {}
        self.steps: dict[str, _Draft] = {}
        self.sources: set[str] = set()
        self.place: Place = (0, 0)
        self.off = False

    def mention(self, source: str, place: Place) -> None:
        self.sources.add(source)
        self.place = place

    @property
    def source(self) -> str:
        return BOTH if len(self.sources) > 1 else next(iter(self.sources))

    def place_of(self, *keys: str) -> Place:
        """Where the settings say one of these keys; else where they name the step."""
        written = [self.keys[key][1:3] for key in keys if key in self.keys and self.keys[key][1]]
        return written[0] if written else self.place


def _draft_built_in(reading: _Reading) -> dict[str, _Draft]:
    drafts: dict[str, _Draft] = {}
    for name in _PACKAGED:
        # Not importlib.resources: it takes longer to import than all plans take to read.
        data = get_data(__package__ or "", f"plans/{name}.yaml") or b""
        _merge_plan(reading, drafts, (TEXT, 0, 0, name), parse_packaged(data.decode()), BUILT_IN)
    return drafts


def parse_packaged(text: str) -> Node:
    """A plan of the package as a node.

    Its YAML is our own and plain: keys with values, lists of steps and questions, each two columns further in.
    Reading just that takes a tenth of the time of importing a YAML parser, for what every changed note needs.
    """
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return _as_node(_parse_block(lines))


def _parse_block(lines: list[str]) -> Any:
    """A block's lines, the first of which says how far in it stands and whether it is a list."""
    inside = len(lines[0]) - len(lines[0].lstrip())
    starts = [at for at, line in enumerate(lines) if line[inside] != " "]
    blocks = [lines[at:end] for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    if lines[0].lstrip().startswith("- "):
        return [_parse_item([" " * (inside + 2) + block[0][inside + 2 :], *block[1:]]) for block in blocks]
    return dict(_parse_pair(block) for block in blocks)


def _parse_item(lines: list[str]) -> Any:
    return _parse_block(lines) if re.match(r" *[a-z_]+:( |$)", lines[0]) else _parse_value_of(lines[0])


def _parse_pair(lines: list[str]) -> tuple[str, Any]:
    key, _, value = lines[0].strip().partition(":")
    return key, _parse_value_of(value) if value else _parse_block(lines[1:])


def _parse_value_of(words: str) -> Any:
    words = words.strip()
    if words.startswith("["):
        return [word.strip() for word in words[1:-1].split(",")]
    return words[1:-1] if words.startswith('"') else words


def _as_node(value: Any) -> Node:
    if isinstance(value, dict):
        return MAP, 0, 0, tuple((_as_node(key), _as_node(item)) for key, item in value.items())
    if isinstance(value, list):
        return LIST, 0, 0, tuple(map(_as_node, value))
    return TEXT, 0, 0, value


def _merge_plans(reading: _Reading, drafts: dict[str, _Draft], node: Node) -> None:
    if node[0] != MAP:
        reading.report(node[1:3], "`plans` is not plans by their names.", "Write a plan's name a line.")
        return
    for key, value in node[3]:
        _merge_plan(reading, drafts, key, value, SETTINGS)


def _merge_plan(reading: _Reading, drafts: dict[str, _Draft], key: Node, value: Node, source: str) -> None:
    name, place = parse_name(key[3]), key[1:3]
    if _is_off(value):
        if name in drafts:
            drafts[name].off = True
            drafts[name].mention(source, place)
        else:
            near = find_nearest(name, drafts)
            hint = f"Did you mean `{near}`?" if near else f"There are {_list(drafts)}."
            reading.report(place, f"There is no plan `{_show(key)}` to switch off.", hint)
        return
    if value[0] != MAP:
        reading.report(
            place, f"`{_show(key)}` is not a plan.", "Write its steps below it, indented, or `none`."
        )
        return
    if _check_name(reading, key, "plan"):
        draft = drafts.setdefault(name, _Draft(name))
        draft.mention(source, place)
        for inner, content in value[3]:
            _merge_plan_key(reading, draft, inner, content, source)


def _merge_plan_key(reading: _Reading, draft: _Draft, key: Node, value: Node, source: str) -> None:
    name = parse_name(key[3]).replace("-", "_")
    if name == "steps":
        for step_key, step in _part_steps(reading, value):
            _merge_step(reading, draft, step_key, step, source)
    elif name in _PLAN_KEYS:
        draft.keys[name] = value
    elif value[0] == MAP or _is_off(value):
        _merge_step(reading, draft, key, value, source)
    else:
        _report_unknown(reading, key, "plan", (*_PLAN_KEYS, "steps"))


def _part_steps(reading: _Reading, node: Node) -> Iterator[tuple[Node, Node]]:
    """The steps below ``steps``, by their names: a map, or a list whose items have a ``step`` each."""
    if node[0] == MAP:
        yield from node[3]
        return
    places: dict[str, Place] = {}
    for item in node[3] if node[0] == LIST else (node,):
        pairs = item[3] if item[0] == MAP else ()
        names = [value for key, value in pairs if parse_name(key[3]) == "step" and value[0] == TEXT]
        place = names[0][1:3] if names else item[1:3]
        if names and (first := places.setdefault(parse_name(names[0][3]), place)) != place:
            message = f"The step `{_show(names[0])}` is in this plan twice; the other is on line {first[0]}."
            reading.report(place, message, "Delete one of the two, or give it a name of its own.")
        elif names:
            rest = tuple(pair for pair in pairs if parse_name(pair[0][3]) != "step")
            yield names[0], (MAP, *item[1:3], rest)
        else:
            reading.report(place, "This step has no name.", "Write `- step: its-tag`, and its keys below.")


def _merge_step(reading: _Reading, draft: _Draft, key: Node, value: Node, source: str) -> None:
    name, place = parse_name(key[3]), key[1:3]
    if _is_off(value):
        if name not in draft.steps:
            near = find_nearest(name, draft.steps)
            hint = f"Did you mean `{near}`?" if near else f"It has {_list(draft.steps)}."
            reading.report(place, f"The plan `{draft.name}` has no step `{_show(key)}` to switch off.", hint)
            return
        draft.steps[name].off = True
        draft.steps[name].mention(source, place)
    elif value[0] != MAP:
        hint = "Write its keys below it, indented, or `none`."
        reading.report(place, f"`{_show(key)}` is not a step.", hint)
    elif _check_name(reading, key, "step"):
        step = draft.steps.setdefault(name, _Draft(name))
        step.mention(source, place)
        for inner, content in value[3]:
            known = parse_name(inner[3]).replace("-", "_")
            if known in _STEP_KEYS:
                step.keys[known] = content
            else:
                _report_unknown(reading, inner, "step", _STEP_KEYS)


def _is_off(node: Node) -> bool:
    return node[0] == TEXT and node[3].casefold() in _OFF


# Tags of the log that mean something of their own.
_TAKEN = frozenset(("sold", "promise", "kept", "complaint", "satisfied", "unhappy", "none"))


def _check_name(reading: _Reading, key: Node, what: str) -> bool:
    name = parse_name(key[3])
    if what == "step" and name in _TAKEN:
        message = f"`#{name}` means something else in a log, so no step can have it."
        reading.report(key[1:3], message, "Choose another name.")
        return False
    if not re.fullmatch(r"[\w/-]+", name) or name.isdigit() or len(name) > 50:
        message = f"`{_show(key)}` cannot be the name of a {what}."
        reading.report(key[1:3], message, "Write letters, digits and hyphens, as in `second-visit`.")
        return False
    return True


def _report_unknown(reading: _Reading, key: Node, what: str, known: Any) -> None:
    near = find_nearest(parse_name(key[3]).replace("-", "_"), known)
    hint = f"Did you mean `{near}`?" if near else f"A {what} has {_list(known)}."
    reading.report(key[1:3], f"`{_show(key)}` is not known of a {what}.", hint)


def _find_off(drafts: dict[str, _Draft]) -> Iterator[Off]:
    for draft in drafts.values():
        if draft.off:
            yield Off(draft.name, "", draft.place[0])
            continue
        for step in draft.steps.values():
            if step.off:
                yield Off(draft.name, step.name, step.place[0])


# --- What a key takes ------------------------------------------------------------------------------------


def _parse_text(node: Node) -> str:
    if node[0] != TEXT:
        raise _Bad("Write one value, without brackets.")
    text = " ".join(node[3].split())
    return "" if text.casefold() == "none" else text


def _parse_texts(node: Node) -> tuple[str, ...]:
    """A list, or one text: a question may have commas in it."""
    if node[0] == MAP:
        raise _Bad("Write a list: `[one, two]`.")
    return tuple(filter(None, map(_parse_text, node[3] if node[0] == LIST else (node,))))


def _parse_names(node: Node) -> tuple[str, ...]:
    return tuple(parse_name(part) for text in _parse_texts(node) for part in text.split(",") if part.strip())


def _parse_tag(node: Node) -> str:
    tag = parse_name(_parse_text(node))
    if tag in _TAKEN:
        raise _Bad("Choose another tag.", f"`#{tag}` means something else in a log, so no step can have it.")
    return tag


def _parse_words(node: Node) -> tuple[str, ...]:
    return tuple(
        part.strip().casefold() for text in _parse_texts(node) for part in text.split(",") if part.strip()
    )


def _parse_anchors(node: Node) -> tuple[str, ...]:
    return tuple(map(_check_anchor, _parse_words(node)))


def _parse_anchor(node: Node) -> str:
    return _check_anchor(_parse_text(node)) if _parse_text(node) else ""


def _check_anchor(word: str) -> str:
    anchor = re.sub(r"[\s-]+", "_", word.casefold())
    if anchor in ANCHORS:
        return anchor
    near = find_nearest(anchor, ANCHORS)
    hint = f"Did you mean `{near}`?" if near else f"Write one of {_list(ANCHORS)}."
    raise _Bad(hint, f"`{word}` is not an anchor.")


_LONGEST_DAYS = 3660  # ten years: what lies further off is a slip of the hand


def _parse_offset(node: Node) -> Interval:
    text = _parse_text(node)
    # A bare 0 is the anchor's day whatever the unit; any other number could be days or weeks.
    offset = parse_offset("0 days" if text == "0" else text)
    if offset is None or abs(_about_days(offset)) > _LONGEST_DAYS:
        raise _Bad("Write a distance, as `2 days`, `-1 workday` or `6 weeks`, of at most ten years.")
    return offset


def _parse_repeat(node: Node) -> Interval | None:
    text = _parse_text(node)
    interval = parse_interval(text)
    if text and (interval is None or _about_days(interval) > _LONGEST_DAYS):
        raise _Bad("Write how often, as `week`, `2 months` or `year`.")
    return interval


def _parse_until(node: Node) -> str | Interval:
    text = _parse_text(node)
    if not text:
        return ""
    length = parse_interval(text)
    return _check_anchor(text) if length is None else length


def _parse_length(node: Node) -> int:
    text = _parse_text(node)
    length = parse_interval(text)
    if text and length is None:
        raise _Bad("Write a length of time, as `14 days`.")
    return round(_about_days(length)) if length else 0


def _parse_kind(node: Node) -> str:
    word = parse_name(_parse_text(node))
    if word in KINDS:
        return word
    near = find_nearest(word, KINDS)
    hint = f"Did you mean `{near}`?" if near else f"Write one of {_list(KINDS)}."
    raise _Bad(hint, f"`{_show(node)}` is not a kind of follow-up.")


def _parse_channel(node: Node) -> str:
    from notesync.notes.words import find_channel

    return find_channel(_parse_text(node))


def _parse_minutes(node: Node) -> int:
    number = re.fullmatch("([0-9]{1,4})(?: ?m(?:in(?:ute)?s?)?)?", _parse_text(node))
    if number is None or not 0 < int(number[1]) <= 24 * 60:
        raise _Bad("Write a whole number of minutes, as `20`.")
    return int(number[1])


def _parse_value(node: Node) -> float | None:
    text = _parse_text(node)
    if text and not re.fullmatch(r"[0-9]{1,15}(?:\.[0-9]{1,2})?", text):
        raise _Bad("Write digits alone, as `50000`.")
    return float(text) if text else None


def _parse_flag(node: Node) -> bool:
    text = _parse_text(node).casefold()
    if text not in ("true", "yes", "on", "false", "no", "off", ""):
        raise _Bad("Write `true` or `false`.")
    return text in ("true", "yes", "on")


def _parse_per(node: Node) -> bool:
    return _choose(node, "client", "sale")


def _parse_settled_by(node: Node) -> bool:
    return _choose(node, "tag", "contact")


def _choose(node: Node, no: str, yes: str) -> bool:
    word = _parse_text(node).casefold()
    if word not in (no, yes):
        raise _Bad(f"Write `{no}` or `{yes}`.")
    return word == yes


_PLAN_KEYS: dict[str, Callable[[Node], Any]] = {
    "title": _parse_text,
    "anchor": _parse_anchor,
    "begins": _parse_offset,
    "ended_by": _parse_anchors,
    "stopped_by": _parse_anchors,
    "opt_in": _parse_flag,
}
_STEP_KEYS: dict[str, Callable[[Node], Any]] = {
    "title": _parse_text,
    "after": _parse_anchors,
    "from": _parse_offset,
    "to": _parse_offset,
    "kind": _parse_kind,
    "channel": _parse_channel,
    "minutes": _parse_minutes,
    "ask": _parse_texts,
    "needs": _parse_names,
    "repeat": _parse_repeat,
    "until": _parse_until,
    "per": _parse_per,
    "settled_by": _parse_settled_by,
    "min_value": _parse_value,
    "unless_stage": _parse_words,
    "tag": _parse_tag,
    "desk": _parse_flag,
    "if_delivery_after": _parse_length,
    "waits_for_complaints": _parse_flag,
}


def _parse_keys(
    reading: _Reading, draft: _Draft, parsers: dict[str, Callable[[Node], Any]]
) -> tuple[dict[str, Any], bool]:
    """A draft's keys as values, and whether all could be understood."""
    values: dict[str, Any] = {}
    good = True
    for name, node in draft.keys.items():
        try:
            values[name] = parsers[name](node)
        except _Bad as bad:
            message = bad.message or f"`{name}` cannot be {_show_value(node)}."
            reading.report(node[1:3], message, bad.hint)
            good = False
    return values, good


# --- From drafts to plans --------------------------------------------------------------------------------


def _build_plan(reading: _Reading, draft: _Draft) -> Iterator[Plan]:
    """The plan, unless the settings leave nothing of it that could be used."""
    values, _ = _parse_keys(reading, draft, _PLAN_KEYS)
    anchor = values.get("anchor", "")
    wanted = [step for step in draft.steps.values() if not step.off]
    steps = [built for step in wanted for built in _build_step(reading, draft, step, anchor)]
    if not draft.steps:
        reading.report(
            draft.place, f"The plan `{draft.name}` has no steps.", "Write its steps below it, indented."
        )
    steps = _check_needs(reading, draft, steps)
    if steps:
        yield Plan(
            draft.name,
            values.get("title") or _as_title(draft.name),
            anchor,
            values.get("begins") or Interval(0, "day"),
            values.get("ended_by", ()),
            values.get("stopped_by", ()),
            values.get("opt_in", False),
            tuple(steps),
            draft.source,
            draft.place[0],
        )


_NEVER_MISSED = frozenset(("promise", "complaint", "delivery"))  # kinds that stay overdue
_SUSPENDED = frozenset(("feedback", "advocate"))  # kinds that wait while a complaint is open


def _build_step(reading: _Reading, plan: _Draft, draft: _Draft, anchor: str) -> Iterator[Step]:
    values, good = _parse_keys(reading, draft, _STEP_KEYS)
    own = BUILT_IN not in draft.sources
    if own and not good:
        return
    if not good:
        values = _keep_built_in(plan.name, draft, values)
    after = values.get("after") or ((anchor,) if anchor else ())
    opens = values.get("from")
    if not after or opens is None:
        if after or "anchor" not in plan.keys:  # else the plan's anchor is the mistake
            lacking, hint = ("from", "Write `from: 2 days`.") if after else ("after", "Write `after: sold`.")
            near = find_nearest(draft.name, [name for name in plan.steps if name != draft.name])
            hint += f" Or did you mean the step `{near}`?" if near else ""
            reading.report(draft.place, f"The step `{draft.name}` has no `{lacking}`.", hint)
        return
    closes = values.get("to", opens)
    if not _is_ordered(opens, closes):
        place, message = draft.place_of("to", "from"), f"The window of `{draft.name}` closes before it opens."
        reading.report(
            place,
            message,
            f"It opens after {_show_offset(opens)}: write a later `to` than {_show_offset(closes)}, "
            "or an earlier `from`.",
        )
        if own:
            return
        kept = _keep_built_in(plan.name, draft, {})
        opens, closes = kept["from"], kept["to"]
    tag = values.get("tag") or draft.name
    if tag == RESOLVED and COMPLAINT not in after:
        message = f"`#{RESOLVED}` closes a complaint, so only a step that counts from one can have it."
        reading.report(draft.place_of("tag"), message, "Choose another tag.")
        return
    kind, desk = values.get("kind", "contact"), values.get("desk", False)
    yield Step(
        plan=plan.name,
        name=draft.name,
        tag=tag,
        title=values.get("title") or _as_title(draft.name),
        after=after,
        opens=opens,
        closes=closes,
        kind=kind,
        channel=values.get("channel", ""),
        minutes=values.get("minutes", 0),
        ask=values.get("ask", ()),
        needs=values.get("needs", ()),
        repeat=values.get("repeat"),
        until=values.get("until", ""),
        per_sale=values.get("per", False),
        by_contact=values.get("settled_by", not desk),
        min_value=values.get("min_value"),
        unless_stage=values.get("unless_stage", ()),
        desk=desk,
        if_delivery_after=values.get("if_delivery_after", 0),
        waits_for_complaints=values.get(
            "waits_for_complaints", kind in _SUSPENDED and COMPLAINT not in after
        ),
        never_missed=desk or kind in _NEVER_MISSED or COMPLAINT in after,
        source=draft.source,
        line=draft.place[0],
    )


def _keep_built_in(plan: str, draft: _Draft, values: dict[str, Any]) -> dict[str, Any]:
    """The values, and the package's own for the keys that the settings spoil."""
    step = _draft_built_in(_Reading())[plan].steps[draft.name]
    return {**_parse_keys(_Reading(), step, _STEP_KEYS)[0], **values}


def _is_ordered(opens: Interval, closes: Interval) -> bool:
    if opens.unit == closes.unit:
        return opens.count <= closes.count
    return _about_days(opens) <= _about_days(closes)


_DAYS = {"day": 1.0, "workday": 1.4, "week": 7.0, "month": 30.44, "year": 365.25}


def _about_days(interval: Interval) -> float:
    return interval.count * _DAYS[interval.unit]


def _check_needs(reading: _Reading, plan: _Draft, steps: list[Step]) -> list[Step]:
    """The steps, less what they need in vain: a step that is not there, or one that needs them in turn."""
    by_name = {step.name: step for step in steps}
    checked = []
    for step in steps:
        draft = plan.steps[step.name]
        own = "needs" in draft.keys and draft.keys["needs"][1] > 0
        needs = []
        for name in step.needs:
            circle = _find_circle(by_name, step.name, name) if own and name in by_name else []
            if circle:
                message = f"These steps need one another in a circle: {', '.join(circle)}."
                reading.report(draft.place_of("needs"), message, f"Delete `needs` of `{step.name}`.")
            elif name in by_name:
                needs.append(name)
            elif own:
                near = find_nearest(name, by_name)
                hint = f"Did you mean `{near}`?" if near else f"It has {_list(by_name)}."
                message = f"`{step.name}` needs `{name}`, which is not a step of `{plan.name}`."
                reading.report(draft.place_of("needs"), message, hint)
        checked.append(step._replace(needs=tuple(needs)))
    return checked


def _find_circle(steps: dict[str, Step], start: str, name: str) -> list[str]:
    """The way from one step through what it needs back to itself; empty if there is none."""
    seen: dict[str, list[str]] = {name: [start, name]}
    waiting = [name]
    while waiting:
        here = waiting.pop()
        if here == start:
            return seen[here]
        for following in steps[here].needs:
            if following in steps and following not in seen:
                seen[following] = [*seen[here], following]
                waiting.append(following)
    return []


# --- Words -----------------------------------------------------------------------------------------------


def _as_title(name: str) -> str:
    words = name.replace("-", " ")
    return words[:1].upper() + words[1:]


def _show(node: Node) -> str:
    """What a node holds, for a message."""
    if node[0] != TEXT:
        return "a list" if node[0] == LIST else "a map"
    text = " ".join(node[3].split())
    return text if len(text) <= 60 else text[:59] + "…"


def _show_offset(offset: Interval) -> str:
    return f"{offset.count} {offset.unit}{'' if abs(offset.count) == 1 else 's'}"


def _show_value(node: Node) -> str:
    return f"`{_show(node)}`" if node[0] == TEXT and node[3] else _show(node) or "empty"


def _list(words: Any) -> str:
    return ", ".join(f"`{word}`" for word in words)
