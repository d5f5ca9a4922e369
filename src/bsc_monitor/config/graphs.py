"""Circular links, found in any graph of references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def cycles(links: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The circles among links, each once, closed (``[a, b, a]``) and starting with its first name in alphabet order.

    Of circles that share a node one is given: mending it shows the next.
    """
    found: list[list[str]] = []
    done: set[str] = set()
    for start in links:
        if start in done:
            continue
        trail: list[str] = []
        places: dict[str, int] = {}
        stack = [(start, iter(links[start]))]
        places[start] = 0
        trail.append(start)
        while stack:
            name, following = stack[-1]
            step = next(following, None)
            if step is None:
                stack.pop()
                trail.pop()
                del places[name]
                done.add(name)
            elif step in places:
                found.append(_turned(trail[places[step] :]))
            elif step not in done and step in links:
                places[step] = len(trail)
                trail.append(step)
                stack.append((step, iter(links[step])))
    unique: dict[tuple[str, ...], list[str]] = {tuple(circle): circle for circle in found}
    return list(unique.values())


def _turned(circle: list[str]) -> list[str]:
    first = circle.index(min(circle))
    return [*circle[first:], *circle[:first], circle[first]]
