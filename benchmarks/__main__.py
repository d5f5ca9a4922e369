"""All measurements, one after the other: ``python -m benchmarks [NAME …]``. Ratios within one run count, not seconds."""

import runpy
import sys

NAMES = (
    "start",
    "exposition",
    "scoring",
    "compiled",
    "judging",
    "line",
    "schedule",
    "insights",
    "board",
    "webhooks",
    "hostile",
    "collect_scale",
    "focus_csv",
    "check",
)


def main():
    """Run those that are named, or all."""
    for name in sys.argv[1:] or NAMES:
        print(f"\n── {name} ──", flush=True)
        sys.argv = [name]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
