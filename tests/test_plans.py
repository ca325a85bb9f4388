"""The settings' `plans`, and the plans that come of them and of the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup import plans as plans_module
from notesync.followup.client import read_client
from notesync.followup.follow_up import KINDS
from notesync.followup.intervals import Interval
from notesync.followup.options import OPTIONS, parse_settings
from notesync.followup.plans import Off, Plans, Step, find_plan_problems, load_plans, parse_packaged
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note
from notesync.problems import Problem


def load(text: str) -> tuple[Plans, tuple[Problem, ...]]:
    settings, problems = parse_settings(text.encode())
    assert not problems
    return load_plans(settings)


def find(plans: Plans, name: str, step: str) -> Step:
    plan = plans.find(name)
    assert plan
    return next(each for each in plan.steps if each.name == step)


def in_words(step: Step) -> str:
    def words(offset: Interval) -> str:
        return f"{offset.count} {offset.unit}{'' if abs(offset.count) == 1 else 's'}"

    marks = ("c" if step.by_contact else "t") + (" s" if step.per_sale else "")
    return f"{'/'.join(step.after)} {words(step.opens)} to {words(step.closes)} {step.kind} {marks}"


BUILT_IN = {
    "quote": {
        "quote-received": "quoted 1 workday to 2 workdays contact c",
        "quote-decision": "quoted 5 workdays to 7 workdays contact c",
    },
    "after-sale": {
        "thank-you": "sold 0 days to 1 workday thanks c s",
        "paperwork": "sold 0 days to 2 workdays service t s",
        "reassure": "sold 5 days to 7 days contact c s",
        "delivery-control": "delivery -5 workdays to -3 workdays delivery t s",
        "delivery-date": "delivery -2 workdays to -1 workday delivery c s",
        "delivery-check": "delivery 0 days to 1 workday delivery c s",
        "usage": "delivery 0 days to 3 workdays service c s",
        "satisfaction": "delivery/sold 2 days to 7 days feedback c s",
        "feedback": "delivery/sold 30 days to 45 days feedback t",
        "testimonial": "delivery/sold 60 days to 90 days advocate t",
        "improvements": "delivery/sold 180 days to 210 days update c",
        "appreciation": "sold 330 days to 365 days thanks t",
    },
    "transition": {"status-call": "sold 1 week to 8 days service c"},
    "no-sale": {
        "reasons": "lost 1 workday to 3 workdays feedback t",
        "door-open": "lost 90 days to 120 days contact c",
    },
    "renewal": {
        "renewal-talk": "renewal -60 days to -30 days contact c",
        "renewal-close": "renewal -14 days to -1 day contact t",
    },
    "complaint": {
        "acknowledge": "complaint 0 days to 1 workday complaint c",
        "resolve": "complaint 0 days to 5 workdays complaint t",
        "complaint-check": "resolved 2 days to 7 days feedback c",
    },
}


def test_the_plans_of_the_package_are_those_of_the_format() -> None:
    plans, problems = load("")
    assert not problems
    found = {plan.name: {step.name: in_words(step) for step in plan.steps} for plan in plans.plans}
    assert found == BUILT_IN


def test_every_step_of_the_package_tells_a_rep_what_to_do() -> None:
    for plan in load("")[0].plans:
        assert plan.title
        for step in plan.steps:
            assert step.title[0].isupper()
            assert " " in step.title
            assert step.kind in KINDS
            assert (step.source, step.line) == ("built-in", 0)


def test_what_else_the_package_says_of_its_steps() -> None:
    plans, _ = load("")
    assert find(plans, "after-sale", "thank-you").ask == ("How may we reach you, and when?",)
    check = find(plans, "after-sale", "delivery-check")
    assert (check.channel, check.minutes) == ("message", 10)
    assert find(plans, "after-sale", "testimonial").needs == ("satisfaction",)
    assert find(plans, "after-sale", "improvements").repeat == Interval(1, "year")
    assert find(plans, "after-sale", "reassure").if_delivery_after == 14
    assert find(plans, "complaint", "resolve").tag == "resolved"
    call = find(plans, "transition", "status-call")
    assert (call.repeat, call.until) == (Interval(1, "week"), "go_live")
    assert [plan.name for plan in plans.plans if plan.opt_in] == ["transition"]
    waiting = {step.name for plan in plans.plans for step in plan.steps if step.waits_for_complaints}
    assert waiting == {
        "satisfaction",
        "feedback",
        "testimonial",
        "appreciation",
        "reasons",
        "complaint-check",
    }


def test_a_step_of_the_package_is_changed_key_by_key() -> None:
    plans, problems = load("plans:\n  after-sale:\n    satisfaction: {to: 9 days, channel: phone}\n")
    assert not problems
    step = find(plans, "after-sale", "satisfaction")
    assert in_words(step) == "delivery/sold 2 days to 9 days feedback c s"
    assert (step.channel, step.source, step.line) == ("call", "both", 3)
    assert find(plans, "after-sale", "usage").source == "built-in"


@pytest.mark.parametrize("word", ["none", "off", "false", "No"])
def test_a_step_and_a_plan_are_switched_off(word: str) -> None:
    plans, problems = load(f"plans:\n  quote: {word}\n  after-sale:\n    satisfaction: {word}\n")
    assert not problems
    assert plans.find("quote") is None
    assert "satisfaction" not in plans.tags
    assert find(plans, "after-sale", "testimonial").needs == ()
    assert plans.off == (Off("quote", "", 2), Off("after-sale", "satisfaction", 4))


def test_steps_and_plans_are_added_as_a_map_or_as_a_list() -> None:
    plans, problems = load(
        "plans:\n"
        "  after-sale:\n"
        "    Second visit: {from: 50 days, to: 60 days, unless_stage: [dormant], min_value: 50000}\n"
        "  installation:\n"
        "    anchor: go-live\n"
        "    steps:\n"
        "      - {step: first_week, from: 5 workdays, kind: service, ask: 'Well, does it run?'}\n"
    )
    assert not problems
    step = find(plans, "after-sale", "second-visit")
    assert in_words(step) == "sold 50 days to 60 days contact c"
    assert (step.title, step.min_value, step.unless_stage) == ("Second visit", 50000.0, ("dormant",))
    step = find(plans, "installation", "first-week")
    assert in_words(step) == "go_live 5 workdays to 5 workdays service c"
    assert (step.ask, step.source, step.line) == (("Well, does it run?",), "settings", 7)


def test_the_example_of_the_settings_is_good() -> None:
    example = next(option.example for option in OPTIONS if option.key == "plans")
    assert load(f"plans: {example}\n")[1] == ()


# Each the lines below `plans:`, and the problem: its line, its column, and what its sentences hold.
WRONG = {
    "an unknown anchor": ("  mine:\n    anchor: solld\n    a: {from: 1 day}", 3, 13, "`sold`"),
    "an unknown anchor of a step": ("  quote:\n    a: {from: 1 day, after: deliverd}", 3, 29, "`delivery`"),
    "a window that closes before it opens": (
        "  after-sale:\n    satisfaction: {to: 1 day}",
        3,
        24,
        "closes before it opens",
    ),
    "so it does in other units": (
        "  after-sale:\n    satisfaction: {from: 6 workdays}",
        3,
        26,
        "closes before it opens",
    ),
    "a circle": ("  after-sale:\n    satisfaction: {needs: testimonial}", 3, 27, "circle"),
    "itself": ("  after-sale:\n    usage: {needs: usage}", 3, 20, "circle"),
    "a step that is not there": (
        "  after-sale:\n    usage: {needs: delivry-check}",
        3,
        20,
        "`delivery-check`",
    ),
    "a step that is switched off": (
        "  quote:\n    quote-received: none\n    quote-decision: {needs: quote-received}",
        4,
        29,
        "not a step",
    ),
    "an unknown kind": ("  after-sale:\n    usage: {kind: servise}", 3, 19, "`service`"),
    "an unknown key": ("  after-sale:\n    usage: {channle: call}", 3, 13, "`channel`"),
    "an unknown key of a plan": ("  after-sale:\n    ended: sold", 3, 5, "`ended_by`"),
    "a bad offset": ("  after-sale:\n    usage: {from: soon}", 3, 19, "`2 days`"),
    "an offset beyond all plans": ("  after-sale:\n    usage: {to: 40 years}", 3, 17, "ten years"),
    "a bad repeat": ("  after-sale:\n    usage: {repeat: often}", 3, 21, "`week`"),
    "a bad until": ("  after-sale:\n    usage: {until: sometime}", 3, 20, "anchor"),
    "per what": ("  after-sale:\n    usage: {per: year}", 3, 18, "`sale`"),
    "settled by what": ("  after-sale:\n    usage: {settled_by: me}", 3, 25, "`contact`"),
    "minutes": ("  after-sale:\n    usage: {minutes: long}", 3, 22, "`20`"),
    "a value": ("  after-sale:\n    usage: {min_value: much}", 3, 24, "`50000`"),
    "a flag": ("  after-sale:\n    usage: {desk: maybe}", 3, 19, "`true`"),
    "no window": ("  after-sale:\n    usag: {kind: service}", 3, 5, "the step `usage`"),
    "no anchor": ("  mine:\n    a: {from: 1 day}", 3, 5, "`after"),
    "no steps": ("  mine:\n    anchor: sold", 2, 3, "no steps"),
    "a plan that is none": ("  mine: tomorrow", 2, 3, "not a plan"),
    "a step that is none": ("  quote:\n    steps: {a: tomorrow}", 3, 13, "not a step"),
    "a step without a name": ("  quote:\n    steps: [{from: 1 day}]", 3, 13, "no name"),
    "no such plan to switch off": ("  after-sail: none", 2, 3, "`after-sale`"),
    "no such step to switch off": ("  quote: {quote-recieved: none}", 2, 11, "`quote-received`"),
    "a tag with a meaning of its own": ("  quote: {sold: {from: 1 day}}", 2, 11, "another name"),
    "a tag of its own that means something else": (
        "  quote:\n    a: {from: 1 day, tag: sold}",
        3,
        27,
        "another tag",
    ),
    "the tag that closes complaints, by name": ("  quote: {resolved: {from: 1 day}}", 2, 11, "another tag"),
    "the tag that closes complaints, on another step": (
        "  quote: {a: {from: 1 day, tag: resolved}}",
        2,
        33,
        "another tag",
    ),
    "a step twice in a list": (
        "  mine:\n    anchor: sold\n    steps:\n      - {step: a, from: 1 day}\n"
        "      - {step: A, from: 2 days}",
        6,
        16,
        "line 5",
    ),
    "what no tag can be": ("  quote: {a&b: {from: 1 day}}", 2, 11, "cannot be the name"),
}


@pytest.mark.parametrize(("text", "line", "column", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_has_its_place_and_its_mend(text: str, line: int, column: int, words: str) -> None:
    plans, problems = load(f"plans:\n{text}\n")
    problem = problems[0]
    assert (problem.path, problem.code, problem.severity) == ("notesync.yaml", "bad-plan", "error")
    assert (problem.line, problem.column) == (line, column)
    assert words in f"{problem.message} {problem.hint}"
    assert problem.message.endswith(".")
    assert problem.hint.endswith(("?", "."))
    assert plans.find("after-sale")


def test_what_a_mistake_spoils_keeps_its_value_in_the_package() -> None:
    plans, problems = load(
        "plans:\n  after-sale:\n    usage: {from: soon, kind: contact}\n    satisfaction: {to: 1 day}\n"
    )
    assert len(problems) == 2
    assert in_words(find(plans, "after-sale", "usage")) == "delivery 0 days to 3 workdays contact c s"
    assert in_words(find(plans, "after-sale", "satisfaction")) == BUILT_IN["after-sale"]["satisfaction"]


words = st.sampled_from(
    ["after-sale", "usage", "mine", "from", "to", "needs", "anchor", "steps", "step", "sold", "2 days", "none",
     "-1w", "x", ""]
)  # fmt: skip
nodes = st.recursive(
    st.tuples(st.just("text"), st.just(3), st.just(5), words),
    lambda inner: st.one_of(
        st.tuples(st.just("list"), st.just(3), st.just(5), st.lists(inner, max_size=3).map(tuple)),
        st.tuples(
            st.just("map"),
            st.just(3),
            st.just(5),
            st.lists(
                st.tuples(st.tuples(st.just("text"), st.just(3), st.just(5), words), inner), max_size=4
            ).map(tuple),
        ),
    ),
    max_leaves=12,
)


@hypothesis_settings(deadline=None)
@given(nodes)
def test_no_plans_of_the_settings_stop_the_reading(node: tuple[object, ...]) -> None:
    plans, problems = load_plans(Settings(plans=node))
    assert all((problem.line, problem.column) == (3, 5) for problem in problems)
    for plan in plans.plans:
        assert len({step.name for step in plan.steps}) == len(plan.steps)
        assert all(need in {step.name for step in plan.steps} for step in plan.steps for need in step.needs)


@pytest.mark.parametrize(
    "path", sorted(Path(plans_module.__file__).with_suffix("").glob("*.yaml")), ids=lambda p: p.stem
)
def test_a_plan_of_the_package_is_read_as_yaml_would_read_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    def as_data(node: Any) -> Any:
        if node[0] == "map":
            return {as_data(key): as_data(value) for key, value in node[3]}
        return list(map(as_data, node[3])) if node[0] == "list" else node[3]

    assert as_data(parse_packaged(text)) == yaml.load(text, Loader=yaml.BaseLoader)


NAMED = {
    "one of the package": ("after-sale", []),
    "however it is written": ("After Sale", []),
    "none": ("none", []),
    "nearly one": (
        "[after-sale, transitoin]",
        ["error: There is no plan `transitoin`. Did you mean `transition`?"],
    ),
    "one's own": ("installation", []),
    "one that is switched off": (
        "renewal",
        [
            "warning: `renewal` is switched off under `plans` in notesync.yaml, so nothing comes of it here. "
            "Delete it here, or switch it on there."
        ],
    ),
    "nothing like one": (
        "gold",
        [
            "error: There is no plan `gold`. Write one of `complaint`, `quote`, `after-sale`, `transition`, "
            "`no-sale`, `installation`, or `none`."
        ],
    ),
}


@pytest.mark.parametrize(("written", "expected"), NAMED.values(), ids=NAMED.keys())
def test_the_plans_that_a_note_names(written: str, expected: list[str]) -> None:
    text = (
        "plans: {renewal: none, installation: {anchor: go_live, steps: [{step: first-week, from: 5 days}]}}"
    )
    note = parse_note(f"---\ntype: client\nplan: {written}\n---\n".encode(), "Ann.md", frozenset())
    client = read_client(note, parse_body(note), Settings())[0]
    found = find_plan_problems(client, load(text)[0], 3, 7)
    assert [f"{each.severity}: {each.message} {each.hint}" for each in found] == expected
    assert all(
        (each.path, each.line, each.column, each.code) == ("Ann.md", 3, 7, "unknown-plan") for each in found
    )
