"""A reason as it is stored, and what is said of it on a day."""

from __future__ import annotations

from datetime import date

import pytest

from notesync.followup.wording import tell_reason

TODAY = date(2026, 11, 24)
SAID = {
    "a window that closes today": (
        "delivered on Tue 17 Nov 2026; window closes Tue 24 Nov",
        date(2026, 11, 24),
        "delivered on Tue 17 Nov 2026; window closes today",
    ),
    "tomorrow": (
        "sold on Mon 23 Nov 2026; window closes Wed 25 Nov",
        date(2026, 11, 25),
        "window closes tomorrow",
    ),
    "later": ("x; window closes Mon 30 Nov", date(2026, 11, 30), "x; window closes Mon 30 Nov"),
    "next year": ("x; window closes Mon 4 Jan 2027", date(2027, 1, 4), "x; window closes Mon 4 Jan 2027"),
    "yesterday": ("x; window closes Mon 23 Nov", date(2026, 11, 23), "x; window closed yesterday"),
    "long ago, and more behind it": (
        "x; window closes Mon 24 Nov 2025; paused until Fri 4 Dec 2026",
        date(2025, 11, 24),
        "x; window closed Mon 24 Nov 2025; paused until Fri 4 Dec 2026",
    ),
    "a complaint of today": (
        "raised Tue 24 Nov 2026, not acknowledged",
        None,
        "raised Tue 24 Nov 2026, today, not",
    ),
    "of yesterday": (
        "raised Mon 23 Nov 2026, not acknowledged",
        None,
        "raised Mon 23 Nov 2026, yesterday, not",
    ),
    "of last month": ("raised Sat 31 Oct 2026", None, "raised Sat 31 Oct 2026, 24 days ago"),
    "a delivery to come": (
        "delivered on Thu 26 Nov 2026; window closes Fri 27 Nov",
        date(2026, 11, 27),
        "delivery on Thu 26 Nov 2026; window closes Fri 27 Nov",
    ),
    "without a date": ("raised, without a date", None, "raised, without a date"),
    "another reason": ("agreed for Tue 24 Nov 2026", date(2026, 11, 24), "agreed for Tue 24 Nov 2026"),
}


@pytest.mark.parametrize(("stored", "closes", "said"), SAID.values(), ids=SAID)
def test_a_reason_is_told_as_of_a_day(stored: str, closes: date | None, said: str) -> None:
    told = tell_reason(stored, closes, TODAY)
    assert said in told
    assert told.count("window") == stored.count("window")
