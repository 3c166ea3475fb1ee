"""JRN1xx: names, types and templates: what a project says about things that exist."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

UNKNOWN_NAME = Code(
    id="JRN101",
    name="unknown-name",
    title="A name that nothing defines",
    why="Nothing of this name is bound, so it can never be true.",
    bad="segment a = exists(order_palced)",
    good="segment a = exists(order_placed)",
)

TYPE_MISMATCH = Code(
    id="JRN102",
    name="type-mismatch",
    title="Two types that do not go together",
    why="A number is not a text and an amount of money is not a number: comparing or adding"
    " them has no meaning, and databases disagree on what they make of it.",
    bad='segment big = sum(order_placed.total) > "500"',
    good="segment big = sum(order_placed.total) > 500 EUR",
)

CURRENCY_MISMATCH = Code(
    id="JRN103",
    name="currency-mismatch",
    title="Amounts in different currencies",
    why="No exchange rate is part of a journey, so amounts of two currencies can be neither"
    " compared nor added.",
    bad="segment big = sum(order_placed.total) > 500 USD   # total is money(EUR)",
    good="segment big = sum(order_placed.total) > 500 EUR",
)

CONSTANT_CONDITION = Code(
    id="JRN104",
    name="constant-condition",
    title="A condition that is always true, or never",
    why="Such a condition decides nothing. Mostly a comparison is the wrong way round or a"
    " bound is off by a sign.",
    bad="segment buyers = count(order_placed) >= 0",
    good="segment buyers = count(order_placed) >= 1",
    severity=Severity.WARNING,
)

UNKNOWN_VALUE_IN_TEMPLATE = Code(
    id="JRN105",
    name="unknown-value-in-template",
    title="A template uses a value that may be unknown",
    why="For a customer without the value the message could not be made, and that customer"
    " would get none.",
    bad="Hello {{ customer.first_name }}",
    good='Hello {{ customer.first_name | default("there") }}',
    severity=Severity.WARNING,
    fence="jinja",
)

TEMPLATE_VARIABLE_MISSING = Code(
    id="JRN106",
    name="template-variable-missing",
    title="A template uses a variable that its step does not give",
    why="No message could be made from the template. In scope are `customer`, `profile`,"
    " `entry` and the names that the step gives by `with`.",
    bad="Your voucher: {{ vuocher }}",
    good="Your voucher: {{ voucher }}",
    fence="jinja",
)

CONTRADICTORY_SEGMENT = Code(
    id="JRN107",
    name="contradictory-segment",
    title="A condition that no customer can fulfil",
    why="Two of its parts exclude each other, so the segment is empty whatever the data.",
    bad="segment odd = count(order_placed) >= 5 and count(order_placed) < 3",
    good="segment odd = count(order_placed) >= 3 and count(order_placed) < 5",
)

TEMPLATE_MISSING = Code(
    id="JRN108",
    name="template-missing",
    title="A message without a template",
    why="The step has nothing to send. A template is found at"
    " `templates/<journey>/<label>.<channel>.<ext>`, or where the step says.",
    bad='hello: send email "welcome/helo"   # there is templates/welcome/hello.email.html',
    good='hello: send email "welcome/hello"',
    fence="text",
)

MESSAGE_TOO_LONG = Code(
    id="JRN109",
    name="message-too-long",
    title="A message longer than its channel carries well",
    why="A text message is paid by the part, a push is cut off where the device likes.",
    bad="Your parcel is on its way \N{EM DASH} follow it at acme.example/parcels, or ask us there.",
    good="Your parcel is on its way: follow it at acme.example/parcels, or ask us there.",
    severity=Severity.WARNING,
    fence="jinja",
)

DUPLICATE_NAME = Code(
    id="JRN110",
    name="duplicate-name",
    title="Two definitions of one name",
    why="All files of a project share one namespace, so that a name means one thing everywhere.",
    bad="segment vip = spend_year >= 500 EUR\nsegment vip = spend_year >= 900 EUR",
    good="segment vip = spend_year >= 500 EUR\nsegment top_vip = spend_year >= 900 EUR",
)

CYCLIC_DEFINITION = Code(
    id="JRN111",
    name="cyclic-definition",
    title="A definition that needs itself",
    why="A segment, metric or fragment that is defined by itself has no value to begin with.",
    bad="segment a = customer in segment b\nsegment b = customer in segment a",
    good="segment a = exists(order_placed)\nsegment b = customer in segment a",
)

MISSING_PART = Code(
    id="JRN112",
    name="missing-part",
    title="A definition lacks something that it must have",
    why="Without it the definition has no meaning: customers need a key, events a customer and"
    " a time, a journey an entry and an owner.",
    bad="event order_placed from shop.orders as o { key o.order_id customer o.customer_id }",
    good="event order_placed from shop.orders as o {\n"
    "  key o.order_id\n  customer o.customer_id\n  at o.placed_at\n}",
)

REPEATED_PART = Code(
    id="JRN113",
    name="repeated-part",
    title="Something that may stand once stands twice",
    why="Of two it would be unclear which one counts.",
    bad="journey welcome {\n  priority 10\n  priority 20\n  …\n}",
    good="journey welcome {\n  priority 20\n  …\n}",
    fence="text",
)

OUT_OF_PLACE = Code(
    id="JRN114",
    name="out-of-place",
    title="Something that has no meaning here",
    why="Windows such as `since entry` and values such as `entry.x` exist only within a"
    " journey, aggregates only over events, and so on.",
    bad="segment fresh = exists(order_placed since entry)",
    good="segment fresh = exists(order_placed within 7d)",
)

BAD_VALUE = Code(
    id="JRN115",
    name="bad-value",
    title="A value outside of what is possible",
    why="A share lies between 0% and 100%, a day has 24 hours, a zone is one of the IANA names.",
    bad="morning: wait until 27:00",
    good="morning: wait until 07:00",
)

CODES = family(globals())
