"""One transaction per evaluation: readings, period values, judgements, alerts and their messages, together or not at all."""

from bsc_monitor.evaluate.evaluator import Evaluator

__all__ = ["Evaluator"]
