"""The marker of the tests that need other people's programs."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "readers: a calendar reader that is not ours; skipped where it is missing"
    )
    config.addinivalue_line("markers", "engines: a sync engine that is not ours; skipped where it is missing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave this folder out of README's command, which needs no other program and is over in minutes."""
    if any("clients" in argument for argument in config.args):
        return
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="with other programs: asked for by pytest tests/clients"))


_HERE = Path(__file__).parent
