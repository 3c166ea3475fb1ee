"""The rules whose parts are a node's fields, one by one.

Each line is a rule of the grammar, the node it makes, and the fields that its parts go to, in
order. ``?x`` is true when the part is there, ``~x`` is the part or else an empty tuple, and a
last ``*x`` takes all parts that are left.
"""

from collections.abc import Callable

from journeylang.source import Span
from journeylang.syntax import nodes as n
from journeylang.syntax.build.context import Builder

PLAIN: dict[str, tuple[type, str]] = {
    "file": (n.File, "language *declarations"),
    # The binding
    "customers": (n.Customers, "table *items"),
    "event": (n.Event, "name title table *items"),
    "consent_table": (n.ConsentTable, "name title table *items"),
    "consent_when": (n.ConsentWhen, "name title condition basis"),
    "topic": (n.Topic, "name title settings"),
    "channel": (n.Channel, "name title settings"),
    "promo": (n.Promo, "name title table *items"),
    "catalog": (n.Catalog, "name title table *items"),
    "customer_value": (n.CustomerValue, "settings"),
    "prospects": (n.Prospects, "name title path *items"),
    "key": (n.Key, "value"),
    "timezone": (n.Timezone, "value otherwise"),
    "locale": (n.Locale, "value otherwise"),
    "prefers": (n.Prefers, "value"),
    "field_binding": (n.FieldBinding, "name type value ?pii"),
    "only_where": (n.OnlyWhere, "condition"),
    "customer_key": (n.CustomerKey, "value"),
    "at": (n.At, "value late"),
    "changed_at": (n.ChangedAt, "value"),
    "append_only": (n.AppendOnly, ""),
    "granted": (n.Granted, "condition"),
    "proof_source": (n.ProofSource, "value"),
    "code": (n.Code, "value"),
    "generate": (n.Generate, "pattern ?per_customer"),
    "expires": (n.Expires, "after"),
    "redeemed_by": (n.RedeemedBy, "by cost"),
    "valid_until": (n.ValidUntil, "until"),
    "first_only": (n.FirstOnly, "count"),
    "prospect_consent": (n.ProspectConsent, "consent condition at source"),
    # Metrics, segments, policies
    "metric": (n.Metric, "name title value"),
    "segment": (n.Segment, "name title condition"),
    "policy": (n.Policy, "name title *rules"),
    "capacity": (n.Capacity, "channel limit per then"),
    "calendar_period": (n.CalendarPeriod, "unit"),
    # A journey's headers
    "owner": (n.Owner, "text"),
    "purpose": (n.Purpose, "kind reason"),
    "enter_on": (n.EnterOn, "event where per"),
    "enter_when": (n.EnterWhen, "condition every"),
    "enter_joins": (n.EnterJoins, "segment every"),
    "enter_at": (n.EnterAt, "at ?local condition"),
    "enter_yearly": (n.EnterYearly, "date at ?local condition"),
    "enter_by_start": (n.EnterByStart, "~fields"),
    "only_customers": (n.OnlyCustomers, "condition"),
    "exit_when": (n.ExitWhen, "condition reason"),
    "goal": (n.Goal, "event where within worth"),
    "kpi": (n.Kpi, "measure of op bound over per by"),
    "guard": (n.Guard, "measure of op bound over per by"),
    "runs": (n.Runs, "start end"),
    "use_policy": (n.UsePolicy, "policy"),
    "upgrade": (n.Upgrade, "mode"),
    # Steps
    "wait": (n.Wait, "label duration"),
    "wait_best_hour": (n.WaitBestHour, "label within"),
    "on_event": (n.OnEvent, "event where steps"),
    "candidate": (n.Candidate, "channel template ~values condition"),
    "arm": (n.Arm, "name share ?control steps"),
    "factor": (n.Factor, "name values"),
    "first_if": (n.Branch, "condition steps"),
    "else_if": (n.Branch, "condition steps"),
    "set_step": (n.Set, "label name value"),
    "invoke": (n.Invoke, "label provider action ~values otherwise"),
    "start": (n.Start, "label journey ~values"),
    "include": (n.Include, "label fragment *arguments"),
    "named_argument": (n.Argument, "name value"),
    "exit_step": (n.Exit, "label reason"),
    # Fragments, tests, assumptions
    "fragment": (n.Fragment, "name ~parameters title steps"),
    "parameter": (n.Parameter, "name type default"),
    "test": (n.Test, "title journey *clauses"),
    "given_customer": (n.GivenCustomer, "values"),
    "given_consent": (n.GivenConsent, "consent at"),
    "given_segment": (n.GivenSegment, "segment"),
    "given_row": (n.GivenRow, "catalog values"),
    "given_event": (n.GivenEvent, "event at ~values"),
    "assign": (n.Assign, "target arm"),
    "happening": (n.Happening, "at event ~values"),
    "expect_send": (n.ExpectSend, "?negated step via at"),
    "expect_not_sent": (n.ExpectNotSent, "step reason at"),
    "expect_in": (n.ExpectIn, "step at"),
    "expect_invoke": (n.ExpectInvoke, "?negated step at"),
    "expect_exit": (n.ExpectExit, "?negated reason at"),
    "expect_nothing_else": (n.ExpectNothingElse, ""),
    "offset": (n.Offset, "duration"),
    "assume": (n.Assume, "name title *assumptions"),
    # Small parts
    "pair": (n.Pair, "key value otherwise"),
    "top_of": (n.TopOf, "count catalog by where"),
    "type": (n.TypeName, "name currency ?optional"),
}


def maker(node: type, fields: str) -> Callable[..., object]:
    """The function for a line of ``PLAIN``."""
    words = fields.split()
    rest = words.pop()[1:] if words and words[-1][0] == "*" else None
    names = [word.lstrip("?~") for word in words]
    flags = [i for i, word in enumerate(words) if word[0] == "?"]
    lists = [i for i, word in enumerate(words) if word[0] == "~"]
    count = len(names)

    def make(_: Builder, span: Span, *parts: object) -> object:
        if flags or lists:
            changed = list(parts)
            for i in flags:
                changed[i] = parts[i] is not None
            for i in lists:
                changed[i] = parts[i] or ()
            given = dict(zip(names, changed, strict=False))
        else:
            given = dict(zip(names, parts, strict=False))
        if rest is not None:
            given[rest] = parts[count:]
        return node(**given, span=span)

    return make
