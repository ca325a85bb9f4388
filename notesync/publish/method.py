"""The plans, and a client's way along them, in; lines, JSON and CSV out, and the words that tables share.

Beside ``publish/text``, which is on the way of every ``check``, because only ``plans`` and ``show`` need it.
It knows no terminal; a step's words are the same in all formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from notesync.followup.dates import format_day
from notesync.publish.text import FORMAT_VERSION, clean, format_number, render_object, render_rows

if TYPE_CHECKING:
    from notesync.followup.intervals import Interval
    from notesync.followup.plans import Off, Plan, Plans, Step
    from notesync.followup.steps import Progress

SETTINGS_FILE = "notesync.yaml"


# Words --------------------------------------------------------------------------------------------


def describe_window(step: Step) -> str:
    """``2 to 7 days after delivery, else sold``; ``5 to 3 workdays before delivery``; ``…, then every year``."""
    again = f", then every {step.repeat}" if step.repeat else ""
    return f"{_describe_days(step)}{again}"


def _describe_days(step: Step) -> str:
    opens, closes, anchor = step.opens, step.closes, ", else ".join(step.after)
    if not opens.count and not closes.count:
        return f"on the day of {anchor}"
    if opens.count >= 0 or closes.count < 0:
        side = "before" if closes.count < 0 else "after"
        return f"{_span(opens, closes)} {side} {anchor}"
    end = f"{_length(closes)} after it" if closes.count else "its day"
    return f"{_length(opens)} before {anchor} to {end}"


def describe_terms(step: Step) -> list[str]:
    """When the step is for a client, when it comes again, what settles it; a phrase each."""
    terms = [
        "for each sale" if step.per_sale else "",
        f"if the delivery is over {step.if_delivery_after} days off" if step.if_delivery_after else "",
        "" if step.min_value is None else f"from a value of {format_number(step.min_value)}",
        f"unless {' or '.join(step.unless_stage)}" if step.unless_stage else "",
        f"needs {', '.join(step.needs)}" if step.needs else "",
        _describe_end(step.until),
        "not while a complaint is open" if step.waits_for_complaints else "",
        f"#{step.tag} or a contact settles it" if step.by_contact else f"#{step.tag} settles it",
    ]
    return [term for term in terms if term]


def describe_source(source: str, line: int) -> str:
    """``built-in``, ``notesync.yaml:12``, or ``built-in, changed at notesync.yaml:12``."""
    if not line:
        return "built-in"
    place = f"{SETTINGS_FILE}:{line}"
    return place if source == "settings" else f"built-in, changed at {place}"


def describe_start(plan: Plan) -> str:
    """What starts a plan and what ends it: ``from sold, stopped by lost, only where the note names it``."""
    words = [
        f"from {plan.anchor}" if plan.anchor else "",
        f"ended by {' or '.join(plan.ended_by)}" if plan.ended_by else "",
        f"stopped by {' or '.join(plan.stopped_by)}" if plan.stopped_by else "",
        f"only where a note says plan: {plan.name}" if plan.opt_in else "",
    ]
    return ", ".join(word for word in words if word)


def describe_off(off: Off) -> str:
    """``after-sale testimonial``, or the plan alone, and where it is switched off."""
    return f"{f'{off.plan} {off.step}'.rstrip()}: switched off at {SETTINGS_FILE}:{off.line}"


def describe_progress(progress: Progress) -> str:
    """What there is to say of a step beside its window: what settled it, ended it, or what it waits for."""
    settled = progress.settled
    if settled is not None:
        if settled.early and progress.opens is not None:
            best = format_day(progress.opens, settled.day.year)
            return f"{settled.by}, too early: {progress.reason}; best from {best}"
        return settled.by
    if progress.ended is not None:
        return f"ended on {format_day(progress.ended, 0)}"
    return progress.waits if progress.status == "waits" else progress.reason


def describe_settling(progress: Progress) -> str:
    """What to write so that the step is settled, or what its tag would settle first."""
    if progress.log_line or not progress.settles_first:
        return progress.log_line
    return f"#{progress.step.tag}, which settles another first: {progress.settles_first}"


def _describe_end(until: str | Interval) -> str:
    if not until:
        return ""
    return f"until {until}" if isinstance(until, str) else f"for {_length(until)}"


def _length(offset: Interval) -> str:
    number = abs(offset.count)
    return f"{number} {offset.unit}{'' if number == 1 else 's'}"


def _span(opens: Interval, closes: Interval) -> str:
    if opens == closes:
        return _length(opens)
    if opens.unit == closes.unit or not opens.count:
        plural = "" if {abs(opens.count), abs(closes.count)} <= {0, 1} else "s"
        return f"{abs(opens.count)} to {abs(closes.count)} {closes.unit}{plural}"
    return f"{_length(opens)} to {_length(closes)}"


# plans --------------------------------------------------------------------------------------------


def render_plans_lines(plans: Plans) -> Iterator[str]:
    """``plan step: window — title [kind] source`` for each step, then what is switched off."""
    for plan in plans.plans:
        for step in plan.steps:
            source = describe_source(step.source, step.line)
            words = f"{describe_window(step)} — {step.title} [{step.kind}] {source}"
            yield clean(f"{plan.name} {step.name}: {words}") + "\n"
    for off in plans.off:
        yield clean(describe_off(off)) + "\n"


def render_plans_json(plans: Plans, vault: str) -> Iterator[str]:
    """``plans`` as one object: ``plans`` with their ``steps``, and what is ``off``."""
    return render_object(
        [
            ("format_version", FORMAT_VERSION),
            ("vault", vault),
            ("plans", map(_plan_object, plans.plans)),
            ("off", (off._asdict() for off in plans.off)),
        ]
    )


def _plan_object(plan: Plan) -> dict[str, object]:
    found = plan._asdict()
    found["begins"] = _signed(plan.begins)
    found["steps"] = [_step_object(step) for step in plan.steps]
    return found


def _step_object(step: Step) -> dict[str, object]:
    found = step._asdict()
    found["opens"], found["closes"] = _signed(step.opens), _signed(step.closes)
    found["repeat"] = None if step.repeat is None else _length(step.repeat)
    found["until"] = step.until if isinstance(step.until, str) else _length(step.until)
    return found


def _signed(offset: Interval) -> str:
    return f"{'-' if offset.count < 0 else ''}{_length(offset)}"


_PLAN_COLUMNS = ("plan", "step", "window", "kind", "title", "terms", "ask", "source", "line")


def render_plans_csv(plans: Plans) -> Iterator[str]:
    """A step a row."""
    rows = (
        (
            step.plan,
            step.name,
            describe_window(step),
            step.kind,
            step.title,
            tuple(describe_terms(step)),
            step.ask,
            step.source,
            step.line,
        )
        for plan in plans.plans
        for step in plan.steps
    )
    return render_rows(_PLAN_COLUMNS, rows)


# progress -----------------------------------------------------------------------------------------


def render_progress_lines(progress: Iterable[Progress]) -> Iterator[str]:
    """``path:line: plan step status first..last — title: what settled it, or what it waits for``."""
    for each in progress:
        window = "-" if each.opens is None or each.closes is None else f"{each.opens}..{each.closes}"
        words = f"plan {each.step.plan} {each.step.name} {each.status} {window} — {each.step.title}"
        yield clean(f"{each.path}:{each.line}: {words}: {describe_progress(each)}") + "\n"


def progress_object(each: Progress) -> dict[str, object]:
    """A step at one of its occasions, as ``show --format json`` has it."""
    settled = each.settled
    return {
        "plan": each.step.plan,
        "step": each.step.name,
        "title": each.step.title,
        "kind": each.step.kind,
        "status": each.status,
        "opens": _iso(each.opens),
        "closes": _iso(each.closes),
        "expires": _iso(each.expires),
        "reason": each.reason,
        "waits": each.waits,
        "settled": None if settled is None else _iso(settled.day),
        "settled_by": "" if settled is None else settled.by,
        "taken_as_settled": settled is not None and settled.taken,
        "too_early": settled is not None and settled.early,
        "ended": _iso(each.ended),
        "ask": each.step.ask,
        "log_line": each.log_line,
        "settles_first": each.settles_first,
        "path": each.path,
        "line": each.line,
    }


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
