"""One mistake, one error: at its own line, with its key, in words."""

import pytest
from tests.unit.config.site import GOOD, line_of, problems_of

ALERT = '\n[alerts.red]\nwhen = "breach"\n'
OPS = '\n[receivers.ops]\nalertmanager = ["http://127.0.0.1:9093"]\n'
ROUTE = OPS + '\n[routes.default]\nreceivers = ["ops"]\n'

# what is replaced, with what, a needle on the line at fault, key, words of message and hint
MISTAKES = {
    "unknown key": ("target = 8", "target = 8\ntraget = 9", "traget", "kpis.mttr.traget", "unknown key (did you mean 'target'?)"),
    "unknown table": ("[kpis.mttr]", "[kpi.x]\n[kpis.mttr]", "[kpi.x]", "kpi", "unknown key (did you mean 'kpis'?)"),
    "unknown key of a plugin": ("every =", 'pasword = "x"\nevery =', "pasword", "sources.itsm.pasword", "did you mean 'password'?"),
    "unknown key in a nested table": ("weight = 2 }", "wieght = 2 }", "wieght", "scorecards.it.perspectives.internal_process.wieght", "did you mean 'weight'?"),
    "wrong type": ("red = 24", 'red = "24"', 'red = "24"', "kpis.mttr.red", "expected a number, a band"),
    "text for a switch": ("target = 8", 'target = 8\nkey = "yes"', 'key = "yes"', "kpis.mttr.key", "expected true or false, found text"),
    "missing key": ('perspective = "customer"\nsupports', "supports", "[objectives.happy]", "objectives.happy.perspective", "is required"),
    "not one of the words": ('better = "lower"', 'better = "lowest"', "lowest", "kpis.mttr.better", "did you mean 'lower'?"),
    "unknown objective": ('objective = "fast"', 'objective = "fats"', "fats", "kpis.mttr.objective", "there is no objective 'fats' (did you mean 'fast'?)"),
    "unknown scorecard": ('[objectives.fast]\nscorecard = "it"', '[objectives.fast]\nscorecard = "ti"', '"ti"', "objectives.fast.scorecard", "there is no scorecard 'ti'"),
    "unknown perspective": ('perspective = "internal_process"', 'perspective = "internal"', '"internal"', "objectives.fast.perspective", "has no perspective 'internal'"),
    "unknown parent": ('parent = "company"', 'parent = "compny"', "compny", "scorecards.it.parent", "did you mean 'company'?"),
    "unknown effect": ('drives = ["happy"]', 'drives = ["hapy"]', "hapy", "objectives.fast.drives[0]", "did you mean 'happy'?"),
    "effect in another scorecard": ('drives = ["happy"]', 'drives = ["company/trust"]', "drives", "objectives.fast.drives[0]", "stays inside 'it'"),
    "support of one's own": ('supports = "company/trust"', 'supports = "it/fast"', "supports", "objectives.happy.supports", "no objective above scorecard 'it'"),
    "unknown source": ('source = "itsm"\nmeasure = "mttr"', 'source = "itms"\nmeasure = "mttr"', "itms", "kpis.mttr.source", "did you mean 'itsm'?"),
    "unknown measure": ('measure = "mttr"', 'measure = "mtr"', '"mtr"', "kpis.mttr.measure", "desk has no measure 'mtr' (did you mean 'mttr'?)"),
    "unknown plugin": ('plugin = "desk"', 'plugin = "disk"', "disk", "sources.itsm.plugin", "did you mean 'desk'?"),
    "unknown parameter of a measure": ('query = "priority=1"', 'qurey = "priority=1"', "qurey", "kpis.mttr.params.qurey", "did you mean 'query'?"),
    "bad parameter of a measure": ('query = "priority=1"', "days = 0", "days = 0", "kpis.mttr.params.days", "greater than 0"),
    "unit that cannot be had": ('unit = "h"', 'unit = "EUR"', "EUR", "kpis.mttr.unit", "measured in 'h', which cannot become 'EUR'"),
    "bad value of a plugin": ("https://desk", "desk", 'url = "desk', "sources.itsm.url", "begins with http:// or https://"),
    "unset secret": ("DESK_PASSWORD", "NOT_SET_HERE", "NOT_SET_HERE", "sources.itsm.password", "missing secret: the environment variable NOT_SET_HERE is not set"),
    "missing secret file": ('{ env = "DESK_PASSWORD" }', '{ file = "nowhere" }', "nowhere", "sources.itsm.password", "missing secret: nowhere cannot be read"),
    "odd secret": ('{ env = "DESK_PASSWORD" }', '{ evn = "DESK_PASSWORD" }', "evn", "sources.itsm.password", 'expected text in quotes, { env = "NAME" } or { file = "PATH" }'),
    "secret given twice": ('{ env = "DESK_PASSWORD" }', '{ env = "DESK_PASSWORD", file = "desk" }', '"desk" }', "sources.itsm.password", "env and file are both given: which holds the secret? (keep one of them)"),
    "number beyond all measure": ("red = 24", "red = " + "9" * 5000, "999", "kpis.mttr.red", "a number of 5,000 digits cannot be read (write it in quotes if it is a text)"),
    "number too large": ("red = 24", "red = 1" + "0" * 400, "0000", "kpis.mttr.red", "a number of 401 digits is too large"),
    "open to all without sign-in": ("[service]", '[service]\nlisten = "0.0.0.0:9877"', "0.0.0.0", "service.listen", "0.0.0.0 can be reached from other machines, and there is no sign-in (set service.auth"),
    "open to all of IPv6": ("[service]", '[service]\nlisten = "[::]:9877"', "[::]", "service.listen", "there is no sign-in"),
    "database nobody supports": ("[service]", '[service]\ndatabase = "mysql://db/bsc"', "mysql", "service.database", "mysql is not supported (use SQLite or PostgreSQL"),
    "database driver nobody supports": ("[service]", '[service]\ndatabase = "postgresql+asyncpg://db/bsc"', "asyncpg", "service.database", "postgresql+asyncpg is not supported"),
    "database address with a bad port": ("[service]", '[service]\ndatabase = "postgresql://db:x/bsc"', "db:x", "service.database", "cannot be read (write"),
    "database in no folder": ("[service]", '[service]\ndatabase = "sqlite:///nowhere/x.db"', "nowhere", "service.database", "does not exist (create it"),
    "database in memory": ("[service]", '[service]\ndatabase = "sqlite:///:memory:"', "memory", "service.database", "would lose everything"),
    "no day of work": ("[service]", "[calendar]\nwork_days = []\n[service]", "work_days", "calendar.work_days", "at least 1"),
    "plugin of values by hand": ('plugin = "desk"', 'plugin = "manual"', '"manual"', "sources.itsm.plugin", 'there is no plugin \'manual\' (values that people enter need no source of their own: write source = "manual" in the KPI)'),
    "thresholds the wrong way round": ('better = "lower"\n', "", "red = 24", "kpis.mttr.red", 'did you mean better = "lower"?'),
    "equal thresholds": ("red = 24", "red = 8", "red = 8", "kpis.mttr.red", "must be below red (8)"),
    "worst better than red": ("red = 24", "red = 24\nworst = 20", "worst = 20", "kpis.mttr.worst", "red (24) must be below worst (20)"),
    "one threshold alone": ("red = 24\n", "", "target = 8", "kpis.mttr.target", "red is missing"),
    "NaN threshold": ("red = 24", "red = nan", "nan", "kpis.mttr.red", "must be a finite number"),
    "infinite threshold": ("red = 24", "red = inf", "inf", "kpis.mttr.red", "must be a finite number"),
    "band where a number is due": ("target = 8", "target = [1, 8]", "[1, 8]", "kpis.mttr.target", "needs a number, not a band"),
    "half a band": ("target = 8", "target = [8]", "[8]", "kpis.mttr.target", "expected a band [lo, hi]"),
    "dates out of order": ("target = 8", "target = [{ from = 2026-02-01, target = 8 }, { from = 2026-01-01, target = 7 }]", "2026-02-01", "kpis.mttr.target[1].from", "does not come after"),
    "bad step": ("target = 8", "target = [\n{ from = 2026-02-01, target = 8 },\n{ from = 2026-03-01, target = 30 }]", "2026-03-01", "kpis.mttr.target[1].red", "must be below red (24)"),
    "negative weight": ("target = 8", "target = 8\nweight = -1", "weight = -1", "kpis.mttr.weight", "greater than or equal to 0"),
    "NaN weight": ("target = 8", "target = 8\nweight = nan", "nan", "kpis.mttr.weight", "finite"),
    "bad duration": ('every = "15m"', 'every = "15 minutes"', "15 minutes", "sources.itsm.every", "is no duration"),
    "nothing as interval": ('every = "15m"', 'every = "0s"', "0s", "sources.itsm.every", "longer than nothing"),
    "an interval that floods a source": ('every = "15m"', 'every = "1ms"', "1ms", "sources.itsm.every", "is too often: a second is the least"),
    "an interval of a KPI that floods its source": ("target = 8", 'target = 8\nevery = "999ms"', "999ms", "kpis.mttr.every", "is too often"),
    "bad cron": ('every = "15m"', 'cron = "0 25 * * *"', "0 25", "sources.itsm.cron", "cron expression"),
    "cron that never fires": ('every = "15m"', 'cron = "0 0 30 2 *"', "30 2", "sources.itsm.cron", "never fires"),
    "every and cron": ('every = "15m"', 'every = "15m"\ncron = "0 6 * * *"', "cron", "sources.itsm.cron", "keep one of them"),
    "period finer than its schedule": ("target = 8", 'target = 8\nperiod = "day"\ncron = "0 6 * * 1"', "cron", "kpis.mttr.cron", "a day is shorter than the 1w between readings"),
    "period that cannot hold its aggregate": ("target = 8", 'target = 8\nperiod = "day"\nevery = "1d"\naggregate = "p85"', "p85", "kpis.mttr.aggregate", "too few readings"),
    "window shorter than its schedule": ("target = 8", 'target = 8\nwindow = "5m"', "window", "kpis.mttr.window", "shorter than the 15m"),
    "unknown aggregate": ("target = 8", 'target = 8\naggregate = "avrage"', "avrage", "kpis.mttr.aggregate", "is no aggregate"),
    "unknown time zone": ("Europe/Berlin", "Europe/Berlni", "Berlni", "service.timezone", "is no time zone"),
    "bad address": ("[service]", '[service]\nlisten = "localhost"', "listen", "service.listen", "write host:port"),
    "address with a scheme": ("[service]", '[service]\nlisten = "http://127.0.0.1:9877"', "listen", "service.listen", "write host:port"),
    "percentile beyond all": ("target = 8", 'target = 8\naggregate = "p100"', "p100", "kpis.mttr.aggregate", "p1 to p99"),
    "include after a table": ("target = 2\n", 'target = 2\ninclude = ["more/*.toml"]\n', "include", "kpis.per-hour.include", "head of the file, before the first [table]"),
    "unknown holidays": ("[sources.itsm]", '[calendar]\nholidays = "DE-XX"\n[sources.itsm]', "DE-XX", "calendar.holidays", "DE has no region 'XX'"),
    "unknown operand": ("resolved / mttr", "resolvd / mttr", "resolvd", "kpis.per-hour.formula", "there is no KPI 'resolvd' (did you mean 'resolved'?)"),
    "formula that calls": ("resolved / mttr", "__import__('os').system('x')", "__import__", "kpis.per-hour.formula", "cannot be called"),
    "formula nested too deep": ('"resolved / mttr"', '"' + "(" * 10_000 + "1" + ")" * 10_000 + '"', "((((", "kpis.per-hour.formula", "longer than"),
    "formula that is none": ("resolved / mttr", "resolved mttr", "resolved mttr", "kpis.per-hour.formula", "is no formula"),
    "operand of another period": ('formula = "resolved / mttr"', 'period = "week"\nformula = "resolved / mttr"', "resolved / mttr", "kpis.per-hour.formula", "judged by the month, this by the week"),
    "formula and source": ('formula = "resolved / mttr"', 'formula = "resolved"\nsource  = "itsm"\nmeasure = "mttr"', "source  =", "kpis.per-hour.source", "not asked of a source"),
    "measure without source": ('source = "itsm"\nmeasure = "resolved"', 'measure = "resolved"', 'measure = "resolved"', "kpis.resolved.measure", "source is missing"),
    "source without measure": ('source = "itsm"\nmeasure = "resolved"\nscored', 'source = "itsm" # here\nscored', "# here", "kpis.resolved.source", "measure is missing"),
    "control character": ('title = "IT"', 'title = "I\\u0000T"', "u0000", "scorecards.it.title", "control character U+0000"),
    "two lines in a title": ('title = "IT"', 'title = "I\\nT"', "nT", "scorecards.it.title", "must stand on one line"),
    "odd id": ("[kpis.mttr]", '[kpis."MTTR 1"]', "MTTR 1", "kpis.MTTR 1", "is no id"),
    "share above one": ("drives = ", "min_coverage = 50\ndrives = ", "min_coverage", "objectives.fast.min_coverage", "less than or equal to 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_is_one_error_at_its_line(name, tmp_path):
    old, new, needle, key, words = MISTAKES[name]
    text = GOOD.replace(old, new, 1)
    if name == "odd id" or 'period = "day"' in text:  # the formula would be wrong too
        text = text.replace('formula = "resolved / mttr"', 'formula = "resolved"')

    problems = problems_of(tmp_path, text)

    assert [problem.key for problem in problems] == [key], problems
    assert problems[0].line == line_of(text, needle)
    assert words in str(problems[0])


ADDED = {
    "rule without its number": (ALERT.replace("breach", "score"), "[alerts.red]", "alerts.red", "needs below or fell_by"),
    "key of another rule": (ALERT + "below = 40\n", "below = 40", "alerts.red.below", 'only with when = "score"'),
    "unknown kind of rule": (ALERT.replace("breach", "breech"), "breech", "alerts.red.when", "did you mean 'breach'?"),
    "over while it fires": (ALERT.replace("breach", "score") + "below = 50\nclear = 40\n", "clear = 40", "alerts.red.clear", "40 is less than below (50): the alert would be over while it still fires (clear = 55)"),
    "over while it is red": (ALERT + "clear = 20\n", "clear = 20", "alerts.red.clear", "20 is less than 33.3, up to which a score is red"),
    "over while it is amber": (ALERT + "status = 'amber'\nclear = 50\n", "clear = 50", "alerts.red.clear", "50 is less than 66.7, up to which a score is amber"),
    "never over": (ALERT + "clear = 101\n", "clear = 101", "alerts.red.clear", "less than or equal to 100"),
    "over by a score it does not look at": (ALERT.replace("breach", "stale") + "clear = 50\n", "clear = 50", "alerts.red.clear", 'only with when = "breach" or "score"'),
    "match of nothing": (ALERT + 'match = { scorecrd = "it" }\n', "scorecrd", "alerts.red.match.scorecrd", "did you mean 'scorecard'?"),
    "match of an unknown thing": (ALERT + 'match = { scorecard = "ti" }\n', '"ti"', "alerts.red.match.scorecard", "there is no scorecard 'ti'"),
    "bad expression": (ALERT + 'match = { kpi = "=~m(" }\n', "m(", "alerts.red.match.kpi", "does not compile"),
    "receiver to nowhere": ("\n[receivers.ops]\n", "[receivers.ops]", "receivers.ops", "nowhere to send to"),
    "unknown receiver": (ROUTE.replace('= ["ops"]', '= ["opps"]'), "opps", "routes.default.receivers[0]", "did you mean 'ops'?"),
    "route to nobody": (ROUTE.replace('= ["ops"]', "= []"), "receivers = []", "routes.default.receivers", "at least 1"),
    "escalation without a time": (ROUTE + 'next = "b"\n[routes.b]\nreceivers = ["ops"]\n', "next =", "routes.default.next", "escalate_after is missing"),
    "maintenance without length": ('\n[maintenance.x]\ncron = "0 22 * * 2"\n', "[maintenance.x]", "maintenance.x.lasts", "is required"),
    "report of nothing": ('\n[reports.m]\nscorecard = "compny"\nat = "0 7 2 * *"\n', "compny", "reports.m.scorecard", "did you mean 'company'?"),
    "initiative for nothing known": ('\n[initiatives.s]\nfor = ["mtttr"]\n', "mtttr", "initiatives.s.for[0]", "there is no KPI or objective 'mtttr' (did you mean 'mttr'?)"),
    "due before start": ("\n[initiatives.s]\nfor = ['mttr']\nstart = 2026-05-01\ndue = 2026-04-01\n", "due =", "initiatives.s.due", "before the start"),
    "progress above one": ("\n[initiatives.s]\nfor = ['mttr']\nprogress = 40\n", "progress", "initiatives.s.progress", "less than or equal to 1"),
    "progress of an unknown measure": ("\n[initiatives.s]\nfor = ['mttr']\nprogress = { source = 'itsm', measure = 'x' }\n", "progress", "initiatives.s.progress.measure", "desk has no measure 'x'"),
    "expectation of an unknown KPI": ("\n[initiatives.s]\nfor = ['mttr']\nexpect = { kpi = 'mttx', change = -8 }\n", "mttx", "initiatives.s.expect.kpi", "did you mean 'mttr'?"),
    "unknown template": ("\n[scorecards.pay]\ntemplate = 'team'\n", "template =", "scorecards.pay.template", "there is no template 'team'"),
    "arguments without a template": ("\n[scorecards.pay]\nwith = { a = 1 }\n", "with =", "scorecards.pay.with", "there is no template"),
    "curve of one point": ("\n[kpis.c]\nobjective = 'fast'\nformula = 1\ncurve = [[1, 0]]\n", "curve", "kpis.c.curve", "two points"),
    "curve with half a point": ("\n[kpis.c]\nobjective = 'fast'\nformula = 1\ncurve = [[1, 0], [2]]\n", "curve", "kpis.c.curve[1]", "expected a point [value, score]"),
    "curve with a value twice": ("\n[kpis.c]\nobjective = 'fast'\nformula = 1\ncurve = [[1, 0], [1, 50]]\n", "curve", "kpis.c.curve[1]", "does not come after"),
    "curve beyond 100": ("\n[kpis.c]\nobjective = 'fast'\nformula = 1\ncurve = [[1, 0], [2, 500]]\n", "curve", "kpis.c.curve[1]", "not between 0 and 100"),
    "band inside out": ("\n[kpis.c]\nobjective = 'fast'\nformula = 1\nbetter = 'target'\ntarget = [-5, 5]\nred = [-3, 10]\n", "red = [", "kpis.c.red", "must lie around target"),
    "the same table twice": ("\n[kpis.mttr]\n", None, "", "the table [kpis.mttr] is written twice"),
    "itself as parent": ("\n[scorecards.a]\nparent = 'a'\nperspectives = { customer = {} }\n", "parent = 'a'", "scorecards.a.parent", "circular parents: a → a"),
}  # fmt: skip


@pytest.mark.parametrize("name", ADDED)
def test_one_mistake_among_the_rest_is_one_error_at_its_line(name, tmp_path):
    added, needle, key, words = ADDED[name]
    text = GOOD + added

    problems = problems_of(tmp_path, text)

    assert [problem.key for problem in problems] == [key], problems
    assert problems[0].line == (line_of(text, needle) if needle else text.count("\n"))
    assert words in str(problems[0])


CIRCLES = {
    "parents": ('[scorecards.company]\ntitle = "Company"', '[scorecards.company]\ntitle = "Company"\nparent = "it"', "circular parents: company → it → company"),
    "effects": ('supports = "company/trust"', 'drives = ["fast"]', "circular drives: it/fast → it/happy → it/fast"),
}  # fmt: skip


NOT_TOML = {
    "no closing quote": ('title = "IT"', 'title = "IT', "does a closing quotation mark lack"),
    "quotes of a word processor": ('title = "IT"', "title = “IT”", "straight quotes"),
    "a switch as Python writes it": ("scored = false", "scored = False", "true and false"),
    "a decimal comma": ("red = 24", "red = 24,5", "a decimal point"),
    "YAML": ('title = "IT"', 'title: "IT"', "write key = value"),
    "a backslash": ('title = "IT"', 'title = "I\\T"', "single quotes"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_TOML)
def test_what_is_not_toml_comes_with_its_usual_cause(name, tmp_path):
    old, new, words = NOT_TOML[name]
    text = GOOD.replace(old, new, 1)

    (problem,) = problems_of(tmp_path, text)

    assert problem.line == line_of(text, new)
    assert "this is not TOML" in problem.message
    assert words in problem.hint


@pytest.mark.parametrize("written", ['drives = ["happy"]', 'params = { query = "priority=1" }'])
def test_what_is_not_closed_sends_the_reader_up_the_file(written, tmp_path):
    (problem,) = problems_of(tmp_path, GOOD.replace(written, written[:-1], 1))
    assert "some lines above" in problem.hint


@pytest.mark.parametrize("name", CIRCLES)
def test_circular_links_are_refused_and_the_circle_printed(name, tmp_path):
    old, new, words = CIRCLES[name]

    problems = problems_of(tmp_path, GOOD.replace(old, new))

    assert [problem.message for problem in problems] == [words]


def test_circular_formulas_are_refused_and_the_circle_printed(tmp_path):
    text = GOOD.replace('formula = "resolved / mttr"', 'formula = "b + 1"') + (
        "[kpis.b]\nobjective = 'fast'\nformula = 'per_hour * 2'\nscored = false\n"
    )

    problems = problems_of(tmp_path, text)

    assert [p.message for p in problems] == ["circular formulas: it/b → it/per-hour → it/b"]
    assert problems[0].line == line_of(text, "per_hour * 2")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(tmp_path):
    text = GOOD.replace("Europe/Berlin", "Mars/Base").replace("red = 24", "red = nan").replace('"mttr"\n', '"mtr"\n')

    lines = [problem.line for problem in problems_of(tmp_path, text)]

    assert lines == [line_of(text, "Mars"), line_of(text, '"mtr"'), line_of(text, "nan")]


def test_an_id_used_twice_across_files_names_both_places(tmp_path):
    (tmp_path / "more.toml").write_text('\n[kpis.mttr]\nobjective = "fast"\n')

    problems = problems_of(tmp_path, 'include = ["more.toml"]\n' + GOOD)

    first = f"{tmp_path}/config.toml:{line_of(GOOD, '[kpis.mttr]') + 1}"
    assert [str(p) for p in problems] == [
        f"{tmp_path}/more.toml:2: kpis.mttr: 'mttr' is already defined in {first} (give it another id)"
    ]


def test_a_thing_with_a_mistake_of_its_own_is_not_missed_by_those_that_name_it(tmp_path):
    problems = problems_of(tmp_path, GOOD.replace('perspective = "internal_process"', "perspective = 5"))

    assert [problem.key for problem in problems] == ["objectives.fast.perspective"]


def test_a_short_id_that_may_be_two_things_asks_for_the_full_name(tmp_path):
    text = GOOD + (
        "[templates.t.objectives.flow]\nperspective = 'customer'\n"
        "[scorecards.a]\ntemplate = 't'\nperspectives = { customer = {} }\n"
        "[scorecards.b]\ntemplate = 't'\nperspectives = { customer = {} }\n"
        "[kpis.c]\nobjective = 'flow'\nformula = 1\nscored = false\n"
    )

    problems = problems_of(tmp_path, text)

    assert [str(p).split(": ", 1)[1] for p in problems] == [
        "kpis.c.objective: 'flow' may be a/flow, b/flow (write scorecard/id)"
    ]
