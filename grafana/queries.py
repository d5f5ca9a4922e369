"""Pieces of PromQL that several boards ask with.

Every selector names the job. Results are aggregated by the labels of the thing itself, so that two instances of one
service show once. The present is asked without look-back, so that what is not exported now shows as *no data*. The
past may be one back-filled sample a month: each step takes the last sample of its own interval (every sample is read
once, however long the shown time), and the panels join the points.
"""

JOB = 'job=~"$job"'
CARD = f'{JOB}, scorecard=~"$scorecard"'
ONE_KPI = f'{CARD}, kpi=~"$kpi"'
OPEN = 'state!~"standardised|abandoned"'

KPI = "scorecard, perspective, objective, kpi"
INITIATIVE = "scorecard, objective, initiative"
LEVELS = {
    "scorecard": "scorecard",
    "perspective": "scorecard, perspective",
    "objective": "scorecard, perspective, objective",
    "kpi": KPI,
}


def latest(metric: str, by: str, selector: str = CARD) -> str:
    """The present of a family: one sample for each combination of the labels ``by``."""
    return f"max by ({by}) ({metric}{{{selector}}})"


def held(metric: str, by: str, selector: str = CARD) -> str:
    """The past and present of a family: at each step the last sample since the step before, if there is one."""
    return f"max by ({by}) (last_over_time({metric}{{{selector}}}[$__interval]))"


def a_quarter_ago(metric: str, by: str, selector: str = CARD) -> str:
    """What was true 13 weeks ago, of live samples or of back-filled months."""
    return f"max by ({by}) (last_over_time({metric}{{{selector}}}[35d] offset 91d))"


def score_line(level: str, selector: str = CARD) -> str:
    """Scores over time of what has a score at the end of the range; what has none is there as NaN, not missing."""
    by = LEVELS[level]
    score, status = f"bsc_{level}_score", f"bsc_{level}_status_code"
    now = f"max by ({by}) ({score}{{{selector}}} @ end())"
    known = f"max by ({by}) ({status}{{{selector}}} @ end())"
    return f"({held(score, by, selector)} and {now}) or NaN * ({known} unless {now})"


def score_now(level: str, selector: str = CARD) -> str:
    """Scores now; what has none is there as NaN, not missing."""
    by = LEVELS[level]
    return f"{latest(f'bsc_{level}_score', by, selector)} or NaN * {latest(f'bsc_{level}_status_code', by, selector)}"


def described(expression: str, labels: str, selector: str = CARD) -> str:
    """A KPI's sample with labels of what the KPI is (``title``, ``kpi_owner`` …) added."""
    info = f"max by ({KPI}, {labels}) (bsc_kpi_info{{{selector}}})"
    return f"({expression}) * on ({KPI}) group_left ({labels}) {info}"


def fenced(expression: str, by: str, fence: str) -> str:
    """Only the samples whose labels ``by`` occur in another expression."""
    return f"({expression}) and on ({by}) ({fence})"


def count_or_zero(expression: str, selector: str = JOB) -> str:
    """How many samples an expression has: 0 when it has none, and nothing at all when no service answers."""
    return f"count({expression}) or 0 * count(bsc_build_info{{{selector}}})"
