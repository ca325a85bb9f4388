"""What depends on what in, which of it goes round in a circle out.

Names alone are known here, not what they name.  A chain may be as long as a note is, so nothing recurses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def find_circles(edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """A number for each name: two have the same if each leads to the other in the end (Tarjan's algorithm)."""
    circles: dict[str, int] = {}
    entered: dict[str, int] = {}  # in which order
    lowest: dict[str, int] = {}  # the earliest that a name leads back to
    unsure: list[str] = []  # entered, and in no circle yet
    for start in edges:
        path: list[tuple[str, Iterator[str]]] = [] if start in entered else [(start, iter(edges[start]))]
        while path:
            name, ahead = path[-1]
            if name not in entered:
                entered[name] = lowest[name] = len(entered)
                unsure.append(name)
            for other in ahead:
                if other in edges and other not in entered:
                    path.append((other, iter(edges[other])))
                    break
                if other in edges and other not in circles:
                    lowest[name] = min(lowest[name], lowest[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[name])
                if lowest[name] == entered[name]:
                    at = len(unsure) - 1
                    while unsure[at] != name:
                        at -= 1
                    circles.update(dict.fromkeys(unsure[at:], entered[name]))
                    del unsure[at:]
    return circles
