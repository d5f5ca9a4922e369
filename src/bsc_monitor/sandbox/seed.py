"""Where the generated company's chance comes from: one independent, repeatable stream per named thing."""

import random


def chance(seed: int, name: str) -> random.Random:
    """A random stream that depends on ``seed`` and ``name`` alone, so that adding a table changes no other."""
    return random.Random(f"{seed}:{name}")  # noqa: S311 - a story, not a secret
