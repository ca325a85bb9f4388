"""The marker of the tests that need other people's programs."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "readers: a calendar reader that is not ours; skipped where it is missing"
    )
    config.addinivalue_line("markers", "engines: a sync engine that is not ours; skipped where it is missing")
    config.addinivalue_line(
        "markers", "watched: a watcher under saves and storms; runs only when tests/clients is asked for"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the watcher's long tests out of README's command."""
    if any("clients" in argument for argument in config.args):
        return
    for item in items:
        if item.get_closest_marker("watched"):
            item.add_marker(pytest.mark.skip(reason="long: asked for by pytest tests/clients"))
