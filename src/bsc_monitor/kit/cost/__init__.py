"""What cost collectors share: money whose currencies never mix, days asked for once, budgets spread over their days.

Plugins may import it beside ``bsc_monitor.plugin``; nothing here asks a source.
"""

from bsc_monitor.kit.cost.budget import Allotment, allotted, budget_of_file, recurring
from bsc_monitor.kit.cost.days import (
    DAY,
    Book,
    Line,
    Step,
    Stretch,
    days_of,
    midnight,
    month_after,
    settled_until,
    total,
    total_by_key,
    whole_period,
)
from bsc_monitor.kit.cost.money import Amounts, CostConfig, Money, add, in_one_currency
from bsc_monitor.kit.cost.readings import cost_reading, neither, no_cost, run_reading, share_reading, variance_reading

__all__ = [
    "DAY", "Allotment", "Amounts", "Book", "CostConfig", "Line", "Money", "Step", "Stretch", "add", "allotted",
    "budget_of_file", "cost_reading", "days_of", "in_one_currency", "midnight", "month_after", "neither", "no_cost",
    "recurring", "run_reading", "settled_until", "share_reading", "total", "total_by_key", "variance_reading", "whole_period",
]  # fmt: skip
