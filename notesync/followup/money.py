"""An amount of money as people write it in, a number out, or what to write instead.

Never a guess between a thousand and a decimal mark.  This module knows no note and no currency's worth.
"""

from __future__ import annotations

import re

_LONGEST = 80  # characters that are looked at: an amount is never longer
_MOST_DIGITS = 15  # a float holds them exactly
# Texts, compiled when first needed: an import pays for every pattern, and most values are digits alone.
# Letters behind the number are a currency's code or short name: `5 Mio` and `5 mln` are not five of anything.
_CURRENCY = r"[$€£¥\u00a2\u20a0-\u20cf\u0e3f]"
_SHORT_NAME = r"(?:kr|kn|zł|kč|ft|lei|lv|руб|р|r|rm|rs|rp|tl)\.?"
_AMOUNT = (
    rf"(?:[A-Z]{{0,3}}{_CURRENCY}|[A-Z]{{1,3}}|(?i:{_SHORT_NAME}))?\s*"
    r"(?P<number>[0-9](?:[0-9.,'’\s]*[0-9])?)(?:[.,](?:--?|–|—))?\s*(?P<thousand>[kK](?![A-Za-z]))?"
    rf"\s*(?:{_CURRENCY}|(?!MIO|MLN|MRD|TSD)[A-Z]{{3}}|(?i:{_SHORT_NAME}))?"
)
_GROUPED = r"[0-9]{1,3}(?:([.,'’\s])[0-9]{3})(?:\1[0-9]{3})*|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"


def parse_money(text: str) -> tuple[float | None, str]:
    """An amount and '', or None and what to write: never a guess between a thousand and a decimal mark."""
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:  # as most are
        return float(text), ""
    match = re.fullmatch(_AMOUNT, text) if len(text) <= _LONGEST else None
    if not match:
        return None, "Write digits alone, as `120000`."
    number = match["number"]
    if re.fullmatch(r"[0-9]{1,3}\.[0-9]{3}", number):
        # A German thousand or an English fraction: a deal's value has three decimals nowhere, but who knows.
        whole = number.replace(".", "")
        return None, f"Write `{whole}` or, if the point is a decimal one, `{number[:-1]}`."
    whole, fraction = _split_fraction(number)
    if not (whole.isdigit() or re.fullmatch(_GROUPED, whole)):
        return None, "Write digits alone, as `120000`."
    digits = re.sub("[^0-9]", "", whole)
    if len(digits) > _MOST_DIGITS:
        return None, f"Write at most {_MOST_DIGITS} digits."
    amount = float(f"{digits}.{fraction or 0}")
    return amount * (1000 if match["thousand"] else 1), ""


def _split_fraction(number: str) -> tuple[str, str]:
    """The digits before and after the decimal mark: the last point or comma, unless it parts thousands."""
    at = max(number.rfind("."), number.rfind(","))
    if at < 0:
        return number, ""
    mark, whole, fraction = number[at], number[:at], number[at + 1 :]
    other = "," if mark == "." else "."
    if not fraction.isdigit() or mark in whole or (len(fraction) == 3 and other not in whole):
        return number, ""
    return whole, fraction
