"""The catalogue of ready KPI definitions."""

from scripts.docs.markdown import code, head, table

from bsc_monitor.catalog import PERSPECTIVES, Definition, load

_ABOUT = """
Ready KPI definitions. `bsc-monitor catalog show ID` explains one with its pitfalls, and `bsc-monitor catalog add ID` prints
the TOML to paste. Thresholds are a start; a reference is named where a published norm stands behind them.
"""


def page() -> str:
    """The text of catalogue.md."""
    parts = [head("Catalogue of KPIs", _ABOUT)]
    for perspective in PERSPECTIVES:
        found = [each for each in load().values() if each.perspective == perspective]
        parts.append(f"\n## {perspective.replace('_', ' ').capitalize()}\n\n")
        parts.append(
            table(
                ("id", "question", "measure", "unit", "red → target", "how it misleads", "show beside it"),
                [_row(each) for each in found],
            )
        )
    return "".join(parts)


def _row(each: Definition) -> tuple[str, ...]:
    levels = (
        "" if each.target is None else f"{each.red:g} → {each.target:g}" if each.red is not None else f"{each.target:g}"
    )
    return (
        code(each.id), each.question, f"[{each.plugin}](plugins/{each.plugin}.md) `{each.measure}`", each.unit, levels,
        each.pitfalls, ", ".join(map(code, each.counter)),
    )  # fmt: skip
