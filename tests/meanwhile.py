"""What another program does in the very moment that matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, happens: Callable[[], object]) -> None:
    """Have something happen once, right before the next call of a function."""
    real = getattr(owner, name)

    def once(*args: object, **options: object) -> object:
        monkeypatch.setattr(owner, name, real)
        happens()
        return real(*args, **options)

    monkeypatch.setattr(owner, name, once)
