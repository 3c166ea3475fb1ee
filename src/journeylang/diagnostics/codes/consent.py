"""JRN3xx: consent, caps, quiet hours and personal data."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

CHANNEL_WITHOUT_CONSENT = Code(
    id="JRN301",
    name="channel-without-consent",
    title="A channel without a consent",
    why="No marketing or service message goes out without the customer's consent, and a channel"
    " without one has nobody to go to.",
    bad="channel email { address: customer.email }",
    good="channel email { address: customer.email, consent: email_marketing }",
)

UNCAPPED_SEND = Code(
    id="JRN302",
    name="uncapped-send",
    title="A channel that no cap limits",
    why="Nothing bounds how many messages a customer gets from all journeys together.",
    bad="policy standard { cap sms 1 per week }     # and the journey sends e-mail",
    good="policy standard { cap sms 1 per week cap email 3 per 7d }",
    severity=Severity.WARNING,
)

NO_QUIET_HOURS = Code(
    id="JRN303",
    name="no-quiet-hours",
    title="A channel that rings at night",
    why="A push, a text message or a call at three in the morning is unlawful in many places"
    " and welcome in none.",
    bad="policy standard { cap sms 1 per week }     # and a journey sends by sms",
    good="policy standard { cap sms 1 per week quiet sms 20:00 to 09:00 }",
    severity=Severity.WARNING,
)

PII_ESCAPES = Code(
    id="JRN304",
    name="pii-escapes",
    title="Personal data goes where it is kept or shown",
    why="Names, labels, outcomes and calls outside appear in reports and logs. A field marked"
    " `pii` may be used in conditions and templates alone.",
    bad="set nickname = customer.first_name",
    good="set known_by_name = customer.first_name is known",
)

CAP_INFEASIBLE = Code(
    id="JRN305",
    name="cap-infeasible",
    title="A path needs more messages than a cap allows",
    why="The last of them is always held or skipped: the journey cannot be lived as written.",
    bad="cap email 1 per 7d    # the journey sends three within two days",
    good="cap email 3 per 7d",
    severity=Severity.WARNING,
)

UNGUARDED_AUDIENCE = Code(
    id="JRN306",
    name="unguarded-audience",
    title="Nothing bounds how many may enter",
    why="One wrong row in a table can make a condition true for everybody at once.",
    bad="enter when customer.score > 0.8",
    good="enter when customer.score > 0.8\nguard entries <= 5000 per 1d",
    severity=Severity.WARNING,
)

NO_UNSUBSCRIBE = Code(
    id="JRN307",
    name="no-unsubscribe",
    title="A marketing e-mail without a way out, or without a postal address",
    why="Law and mailbox providers ask for an unsubscribe link in every marketing e-mail, and for"
    " the sender's postal address.",
    bad="<p>See you soon!</p>",
    good='<p>See you soon!</p>\n<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>\n'
    "<p>Acme GmbH, Hauptstr. 1, 10115 Berlin</p>",
    fence="jinja",
)

CONSENT_BORROWED = Code(
    id="JRN308",
    name="consent-borrowed",
    title="A channel under another channel's consent",
    why="Consent to e-mail is no consent to text messages.",
    bad="channel sms { address: customer.mobile, consent: email_marketing }",
    good="channel sms { address: customer.mobile, consent: sms_marketing }",
    severity=Severity.WARNING,
)

CODES = family(globals())
