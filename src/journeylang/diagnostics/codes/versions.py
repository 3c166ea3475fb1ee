"""JRN5xx: one version of a journey after another, with people inside."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

RENAMED_WITHOUT_MOVED = Code(
    id="JRN501",
    name="renamed-without-moved",
    title="A step that holds people is gone",
    why="Customers wait at a step by its label. Without a word on where they go they would be"
    " lost, so the change is refused. Who waits where is known to the database alone:"
    " `journey plan` and `journey run` find it, and `journey check`, which asks none, does not.",
    bad="cool_off: wait 5d   ->   breathe: wait 5d",
    good="cool_off: wait 5d   ->   breathe: wait 5d\nmoved in winback: cool_off -> breathe",
    fence="text",
)

PLAN_UNUSABLE = Code(
    id="JRN502",
    name="plan-unusable",
    title="The file is no plan that can be applied",
    why="`journey apply` applies what `journey plan --out` has written, and nothing else.",
    bad="journey apply prod report.json",
    good="journey plan prod --out plan.json\njourney apply prod plan.json",
    fence="text",
)

PLAN_EDITED = Code(
    id="JRN503",
    name="plan-edited",
    title="The plan was changed after it was made",
    why="What is applied is what was looked at. A plan with other texts in it is another plan, and"
    " nobody has seen what it would do.",
    bad="sed -i 's/2d/3d/' plan.json; journey apply prod plan.json",
    good="# the journeys are changed, and\njourney plan prod --out plan.json",
    fence="text",
)

PLAN_ELSEWHERE = Code(
    id="JRN504",
    name="plan-for-another-database",
    title="The plan was made for another database",
    why="It counts the people of that database, and starts from what was applied there.",
    bad="journey plan staging --out plan.json\njourney apply prod plan.json",
    good="journey plan prod --out plan.json\njourney apply prod plan.json",
    fence="text",
)

PLAN_STALE = Code(
    id="JRN505",
    name="plan-stale",
    title="The database has moved on since the plan was made",
    why="Something else was applied since, people have come to where the plan saw nobody, or a list"
    " of people is another one. What would happen now is not what was looked at.",
    bad="journey plan prod --out plan.json\njourney apply prod\njourney apply prod plan.json",
    good="journey plan prod --out plan.json\njourney apply prod plan.json",
    fence="text",
)

NOTHING_APPLIED = Code(
    id="JRN506",
    name="nothing-applied",
    title="Nothing was applied to the environment yet",
    why="An environment without `auto_apply` runs what was applied to it, so that nobody changes a"
    " campaign by saving a file.",
    bad="journey run prod",
    good="journey plan prod\njourney apply prod\njourney run prod",
    fence="text",
)

UNAPPLIED = Code(
    id="JRN507",
    name="unapplied-changes",
    title="The files are not what runs",
    why="The environment runs what was applied to it. What has changed in the files since waits for"
    " an apply.",
    bad="git pull\njourney run prod",
    good="git pull\njourney plan prod\njourney apply prod\njourney run prod",
    severity=Severity.WARNING,
    fence="text",
)

REVISION_UNKNOWN = Code(
    id="JRN508",
    name="revision-unknown",
    title="There is no such revision, or it can't be read any more",
    why="Each apply is a revision with a number, and keeps the project's texts. `journey versions`"
    " lists them.",
    bad="journey apply prod --revision 99",
    good="journey versions prod\njourney apply prod --revision 7",
    fence="text",
)

VERSION_LACKING = Code(
    id="JRN509",
    name="version-lacking",
    title="A version on which people finish asks for what is gone",
    why="With `upgrade pin` or `drain` people finish on the version that they are on. It reads the"
    " binding of today: what it asks for has to be bound as it was.",
    bad="upgrade pin     # and the event that the older version waits for is bound no more",
    good="upgrade pin     # and the event stays until nobody waits for it",
    fence="text",
)

CODES = family(globals())
