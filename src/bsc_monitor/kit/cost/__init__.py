"""What cost collectors share: money whose currencies never mix, days asked for once, budgets spread over their days.

Plugins may import it beside ``bsc_monitor.plugin``. What speaks with one kind of source has modules of its own, imported by
name: ``aws``, ``cost_explorer``, ``aws_budgets``; ``azure``, ``cost_management``; ``focus_table``, ``focus_query``.
"""

from bsc_monitor.kit.cost.budget import Allotment, allotted, budget_of_file, recurring
from bsc_monitor.kit.cost.days import (
    DAY,
    Book,
    Line,
    Step,
    Stretch,
    current_day,
    days_of,
    settled_until,
    total,
    total_by_key,
    whole_period,
)
from bsc_monitor.kit.cost.money import Amounts, CostConfig, Money, add, in_one_currency
from bsc_monitor.kit.cost.readings import (
    cost_reading,
    cost_readings,
    neither,
    no_cost,
    run_reading,
    share_reading,
    variance_reading,
)

__all__ = [
    "DAY", "Allotment", "Amounts", "Book", "CostConfig", "Line", "Money", "Step", "Stretch", "add", "allotted",
    "budget_of_file", "cost_reading", "cost_readings", "current_day", "days_of", "in_one_currency", "neither", "no_cost",
    "recurring", "run_reading", "settled_until", "share_reading", "total", "total_by_key", "variance_reading",
    "whole_period",
]  # fmt: skip
