"""JRN4xx: experiments whose result would mean nothing."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

SHARES_NOT_100 = Code(
    id="JRN401",
    name="shares-not-100",
    title="The arms do not add up to 100%",
    why="Customers beyond the last arm would have no way on, or belong to two.",
    bad='subject: experiment salt "s1" {\n  arm a 50% { … }\n  arm b 40% { … }\n}',
    good='subject: experiment salt "s1" {\n  arm a 50% { … }\n  arm b 50% { … }\n}',
    fence="text",
)

SALT_REUSED = Code(
    id="JRN402",
    name="salt-reused",
    title="Two draws with the same salt",
    why="The same customers land on the same side of both, so neither result is the effect of"
    " one thing alone.",
    bad='holdout 10% salt "s1"\nhour: experiment salt "s1" {\n'
    "  arm morning 50% control { nine: wait until 09:00 }\n"
    "  arm evening 50% { seven: wait until 19:00 }\n}",
    good='holdout 10% salt "welcome-holdout"\nhour: experiment salt "welcome-hour" {\n'
    "  arm morning 50% control { nine: wait until 09:00 }\n"
    "  arm evening 50% { seven: wait until 19:00 }\n}",
)

EXPERIMENT_CHANGED_LIVE = Code(
    id="JRN403",
    name="experiment-changed-live",
    title="Arms or shares changed while the experiment runs",
    why="Customers would change sides, and what was measured before cannot be compared with"
    " what is measured after. A new salt makes a new experiment.",
    bad='experiment salt "s1" { arm a 50% … }  ->  experiment salt "s1" { arm a 80% … }',
    good='experiment salt "s1" { arm a 50% … }  ->  experiment salt "s2" { arm a 80% … }',
    fence="text",
)

IDENTICAL_ARMS = Code(
    id="JRN404",
    name="identical-arms",
    title="Two arms that do the same",
    why="There is nothing to find out, and half of the customers are spent on it.",
    bad='words: experiment salt "welcome-words" {\n'
    '  arm plain 50% control { hello: send email "welcome/hello" }\n'
    '  arm warm 50% { hello: send email "welcome/hello" }\n}',
    good='words: experiment salt "welcome-words" {\n'
    '  arm plain 50% control { hello: send email "welcome/hello" }\n'
    '  arm warm 50% { hello: send email "welcome/warm_hello" }\n}',
    severity=Severity.WARNING,
)

UNDERPOWERED = Code(
    id="JRN405",
    name="underpowered",
    title="Too few customers to see the difference that is expected",
    why="The experiment will most likely end without a result, whatever the truth is. How many"
    " enter is said in `journey.toml` (`[lint.volumes]`: `welcome = 20_000`, in 30 days), how many"
    " reach the goal anyway by an `assume` or by `kpi conversion`; without them nothing is told.",
    bad='subject: experiment salt "s1" expect "+1%" {     # 20,000 enter a month, 3% of them order',
    good='subject: experiment salt "s1" expect "+30%" {',
    severity=Severity.WARNING,
)

NO_CONTROL = Code(
    id="JRN406",
    name="no-control",
    title="No arm is the one that the others are compared with",
    why="Without a control the question is not which arm is better than today, and by how much.",
    bad='hour: experiment salt "welcome-hour" {\n'
    "  arm morning 50% { nine: wait until 09:00 }\n"
    "  arm evening 50% { seven: wait until 19:00 }\n}",
    good='hour: experiment salt "welcome-hour" {\n'
    "  arm morning 50% control { nine: wait until 09:00 }\n"
    "  arm evening 50% { seven: wait until 19:00 }\n}",
    severity=Severity.WARNING,
)

CODES = family(globals())
