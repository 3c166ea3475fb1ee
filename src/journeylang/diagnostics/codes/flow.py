"""JRN2xx: how people move through a journey."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

UNREACHABLE_STEP = Code(
    id="JRN201",
    name="unreachable-step",
    title="A step that nobody can come to",
    why="Every way to it ends before. What was meant to happen there never will.",
    bad='exit as done\nhello: send email "welcome/hello"',
    good='hello: send email "welcome/hello"\nexit as done',
    severity=Severity.WARNING,
)

LOOP_WITHOUT_WAIT = Code(
    id="JRN202",
    name="loop-without-wait",
    title="A loop that does not wait",
    why="All its passes would happen in the same instant, so that one customer gets several"
    " messages at once.",
    bad='chase: repeat up to 3 times {\n  note: send email "cart/note"\n}',
    good='chase: repeat up to 3 times {\n  note: send email "cart/note"\n  pause: wait 2d\n}',
)

GOAL_WINDOW_TOO_SHORT = Code(
    id="JRN203",
    name="goal-window-too-short",
    title="The goal's window ends before the journey's last message",
    why="What the last messages bring is not counted, and the journey looks worse than it is.",
    bad="goal order_placed within 7d   # the journey takes up to 20 days",
    good="goal order_placed within 30d",
    severity=Severity.WARNING,
)

REENTRY_OVERLAPS = Code(
    id="JRN204",
    name="reentry-overlaps",
    title="Re-entry is allowed before the journey can be over",
    why="Whoever is still inside does not enter, so the interval that is written is not the"
    " one that holds.",
    bad="reenter after 3d   # the journey takes up to 20 days",
    good="reenter after 30d",
    severity=Severity.WARNING,
)

JOURNEYS_START_EACH_OTHER = Code(
    id="JRN205",
    name="journeys-start-each-other",
    title="Journeys that start each other in a circle",
    why="A customer would go round for ever.",
    bad='journey a { owner "x" enter by start with { } reenter always next: start b }\n'
    'journey b { owner "x" enter by start with { } reenter always next: start a }',
    good='journey a { owner "x" enter by start with { } reenter always next: start b }\n'
    'journey b { owner "x" enter by start with { } reenter always exit as done }',
)

QUIET_HOURS_STARVE = Code(
    id="JRN206",
    name="quiet-hours-starve",
    title="A message that always falls into quiet hours",
    why="It expires before the quiet hours end, or is held every time; nobody gets it when it"
    " was meant.",
    bad="night: wait until 23:00\nhello: send sms expires 2h   # quiet sms 20:00 to 09:00",
    good="morning: wait until 10:00\nhello: send sms expires 2h",
    severity=Severity.WARNING,
)

GOAL_NOT_AN_EXIT = Code(
    id="JRN207",
    name="goal-not-an-exit",
    title="Whoever reached the goal is messaged on",
    why="The journey asks for something that has already happened.",
    bad="goal order_placed within 14d",
    good="goal order_placed within 14d\nexit when exists(order_placed since entry) as converted",
    severity=Severity.WARNING,
)

LATE_DATA_RACE = Code(
    id="JRN208",
    name="late-data-race",
    title="A wait shorter than the event's rows may be late",
    why="When the wait ends, the row that should have ended the journey may not have arrived,"
    " and a customer who has bought is asked to buy.",
    bad="hold: wait 1h                         # orders may be 6 hours late",
    good="hold: wait 8h",
    severity=Severity.WARNING,
)

WAIT_WITHOUT_WAY_ON = Code(
    id="JRN209",
    name="wait-without-way-on",
    title="A wait of which one outcome leads nowhere",
    why="Customers with that outcome silently go on to the next step, as if nothing had been"
    " awaited.",
    bad="nudge: send email\nthink: wait for clicked of nudge up to 5d\nlast: send email",
    good="nudge: send email\nthink: wait for clicked of nudge up to 5d {\n"
    "  on clicked { exit as interested }\n  timeout { last: send email }\n}",
    severity=Severity.WARNING,
)

JOURNEYS_COMPETE = Code(
    id="JRN210",
    name="journeys-compete",
    title="Journeys that ask for the same people at the same time",
    why="They have the same trigger and share a cap, so that one of them takes the other's"
    " messages; which one is decided by priority alone.",
    bad="priority 0      # as another journey that begins with the same sign-up",
    good="priority 10",
    severity=Severity.WARNING,
)

TOO_MANY_WAYS = Code(
    id="JRN211",
    name="too-many-ways",
    title="Decisions between two waits that multiply",
    why="All that happens between two waits is decided in one statement. Twenty experiments in a"
    " row with nothing between them have a million outcomes, more than can be written down.",
    bad="a: experiment … b: experiment … c: experiment …     # and so on, with empty arms",
    good="a: experiment … { arm x 50% { hello: send email } … }\nsettle: wait 1h\nb: experiment …",
    fence="text",
)

TOO_MANY_STEPS = Code(
    id="JRN212",
    name="too-many-steps",
    title="Includes that come to more steps than can be run",
    why="An include is all steps of its fragment. Ten fragments that each include the one before"
    " ten times are ten thousand million steps in a hundred lines.",
    bad="fragment b { x: include a  y: include a }     # and so on, thirty times",
    good="fragment b { x: include a }",
    fence="text",
)

CODES = family(globals())
