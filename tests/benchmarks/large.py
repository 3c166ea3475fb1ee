"""Files as large as are read, each of one kind of thing: what `journey check` must come through.

They stand in the benchmark's project, beside its binding. A shape is a text of about so many
characters; with a share of them it is the same text, shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

Shape = Callable[[int], str]

HEAD = """\
  owner "benchmarks@shop.example"
  enter on order_placed
  policy standard
"""


def _filled(size: int, parts: Iterable[str], first: str = "", last: str = "") -> str:
    """As many of the parts as there is room for, between a beginning and an end."""
    made, room = [first], size - len(first) - len(last)
    for part in parts:
        room -= len(part)
        if room < 0:
            break
        made.append(part)
    return "".join((*made, last))


def _lines(line: Callable[[int], str], first: str = "", last: str = "") -> Shape:
    return lambda size: _filled(size, map(line, count()), first, last)


def _journey(line: Callable[[int], str], more: str = "") -> Shape:
    return _lines(line, f"journey huge {{\n{HEAD}{more}", "}\n")


def _journeys(number: int) -> str:
    return (
        f'journey k{number} "One of many" {{\n{HEAD}'
        "  exit when exists(order_placed since entry) as bought\n"
        "  settle: wait 2d\n"
        "  if customer.score > 50 { exit as high }\n"
        '  note: send email "j1/plain"\n'
        '  half: experiment salt "x' + str(number) + '" {\n'
        "    arm a 50% control { go: wait 1d }\n"
        '    arm b 50% { nudge: send email "j1/nudge" }\n'
        "  }\n}\n"
    )


def _segment(number: int) -> str:
    return (
        f'segment s{number} "S" = count(order_placed within 90d) >= {number}'
        f" and customer.score > {number}\n"
    )


def _event(number: int) -> str:
    return (
        f"event e{number} from shop.e{number} as o {{ key o.id customer o.customer_id at o.at"
        f" append only field total: money(EUR) field n: int only where o.n > {number} }}\n"
    )


def _fragment(number: int) -> str:
    return (
        f"fragment f{number}(gap: duration = 3d, path: template) {{\n"
        '  pause: wait gap\n  note: send email "{path}"\n}\n'
        f"journey k{number} {{\n{HEAD}"
        f'  a: include f{number}(2d, "j1/plain")\n  b: include f{number}(path: "j1/nudge")\n}}\n'
    )


def _promo(number: int) -> str:
    return f'promo p{number} {{ generate "P{number}-########" valid until 2027-05-31 first 500 }}\n'


def _misspelt(number: int) -> str:
    return f"segment s{number} = customer.scoer{number} > {number}\n"


def _mistyped(number: int) -> str:
    return f'segment s{number} = customer.score > "{number}"\n'


def _contradictory(number: int) -> str:
    return f"segment s{number} = customer.score > {number + 1} and customer.score < {number}\n"


SHAPES: dict[str, Shape] = {
    "segments": _lines(_segment),
    "metrics": _lines(lambda n: f'metric m{n} "M" = sum(order_placed.total within {n + 1}d)\n'),
    "a chain of segments": _lines(
        lambda n: (
            f"segment s{n} = customer.score > {n} and customer in segment s{max(n - 1, 0)}\n"
            if n % 60
            else f"segment s{n} = customer.score > {n}\n"
        )
    ),
    "journeys": _lines(_journeys),
    "waits and ifs": _journey(
        lambda n: f"  w{n}: wait {n % 9 + 1}h\n  if customer.score > {n} {{ exit as x{n} }}\n"
    ),
    "waits": _journey(lambda n: f"  w{n}: wait 2d\n"),
    "ifs": _journey(lambda n: f"  if customer.score > {n} {{ w{n}: wait 2d }}\n"),
    "an else if": _journey(lambda n: f" else if customer.score = {n} {{ }}", "if false { }"),
    "sends": _journey(
        lambda n: (
            f'  s{n}: send email "j1/plain" with {{ a: customer.score, b: "{n}" }} expires 2d\n'
        )
    ),
    "races": _journey(
        lambda n: (
            f"  w{n}: wait up to 2d {{ on signed_up {{ exit as a{n} }} on order_placed {{ }} }}\n"
        )
    ),
    "experiments": _journey(
        lambda n: (
            f'  x{n}: experiment salt "x{n}" {{ arm a 50% control {{ }}'
            f" arm b 50% {{ w: wait {n % 7 + 1}d }} }}\n"
        )
    ),
    "repeats": _journey(lambda n: f"  r{n}: repeat up to 3 times {{ w: wait 1d }}\n"),
    "sets": _journey(lambda n: f"  set p{n} = {n}\n"),
    "exit rules": _journey(lambda n: f"  exit when customer.score > {n} as r{n}\n"),
    "events": _lines(_event),
    "fields": _lines(
        lambda n: f"  field f{n}: int? = o.column_{n}\n",
        "event wide from shop.wide as o {\n  key o.id\n  customer o.c\n  at o.at\n  append only\n",
        "}\n",
    ),
    "consents": _lines(
        lambda n: (
            f'consent c{n} when customer.score > {n} basis "granted"\n'
            f'topic t{n} "T" {{ consent: c{n} }}\n'
        )
    ),
    "policies": _lines(
        lambda n: f"policy p{n} {{ cap email {n + 1} per 7d quiet email 23:00 to 04:00 }}\n"
    ),
    "caps": _lines(lambda n: f"  cap email {n + 1} per {n + 1}d\n", "policy many {\n", "}\n"),
    "promos": _lines(_promo),
    "catalogs": _lines(
        lambda n: f"catalog c{n} from shop.c{n} as p {{ key p.sku field name: text = p.title }}\n"
    ),
    "fragments": _lines(_fragment),
    "includes": _journey(
        lambda n: f"  i{n}: include chase({n % 9 + 1}d)\n",
    ),
    "tests": _lines(
        lambda n: (
            f'test "t{n}" for j1 {{ given customer {{ customer_id: "c" }} expect nothing else }}\n'
        )
    ),
    "moves": _lines(lambda n: f"moved in j1: old{n} -> settle\n"),
    "a long condition": _lines(lambda n: f" and customer.score > {n}", "segment s = true"),
    "a long or": _lines(lambda n: f" or customer.score = {n}", "segment s = false"),
    "mixed and or": _lines(
        lambda n: f" {('and', 'or')[n % 2]} customer.score > {n}", "segment s = true"
    ),
    "a list of numbers": _lines(lambda n: f", {n}", "segment s = customer.score in (1", ")\n"),
    "a list of texts": _lines(lambda n: f', "{n}"', 'segment s = customer.tier in ("a"', ")\n"),
    "long sums": _lines(
        lambda n: f"metric m{n} = " + " + ".join(f"customer.score * {k}" for k in range(40)) + "\n"
    ),
    "a long sum": _lines(lambda n: f" + {n}", "metric m = 1"),
    "a string": lambda size: f'segment s "{"x" * (size - 50)}" = customer.score > 1\n',
    "escapes": lambda size: 'segment s "' + "\\n" * (size // 2 - 25) + '" = customer.score > 1\n',
    "a comment": lambda size: "#" * size,
    "comments": _lines(lambda n: f"# a line of comment {n}\n"),
    "suppressions": _lines(
        lambda n: f"# journey: ignore[JRN104] because {n}\nsegment s{n} = customer.score > {n}\n"
    ),
    "blank lines": lambda size: "\n" * size,
    "brackets": lambda size: "segment s = " + "(" * (size // 2 - 10) + ")" * (size // 2 - 10),
    "flat brackets": _lines(lambda n: f" and (customer.score > {n})", "segment s = true"),
    "braces": lambda size: "journey j " + "{" * (size - 10),
    "levels": _lines(lambda n: f"segment s{n} = {'(' * 64}customer.score > {n}{')' * 64}\n"),
    "a name": lambda size: "segment " + "a" * (size - 50) + " = customer.score > 1\n",
    "misspelt names": _lines(_misspelt),
    "misspelt names on a line": _lines(
        lambda n: f" and customer.scoer{n} > {n}", 'segment s "ä" = customer.score > 1'
    ),
    "mistyped values on a line": _lines(
        lambda n: f' metric m{n} = customer.score + "{n}"', "metric ä = 1"
    ),
    "bad suppressions": _lines(lambda n: f"# journey: ignore[JRN9{n}] because\n"),
    "exits and ifs": lambda size: (
        "journey huge {\n"
        + HEAD
        + _filled(size // 2, (f"  exit when customer.score > {n} as r{n}\n" for n in count()))
        + _filled(
            size // 2 - 200, (f"  if customer.score > {n} {{ w{n}: wait 2d }}\n" for n in count())
        )
        + "}\n"
    ),
    "segments of one": _lines(
        lambda n: f"segment t{n} = customer in segment s and customer.score > {n}\n",
        "segment s = true" + "".join(f" and customer.score > {n}" for n in range(700)) + "\n",
    ),
    "metrics of one": _lines(
        lambda n: f"segment t{n} = m > {n}\n",
        "metric m = 1"
        + "".join(f" + count(order_placed within {n + 1}d)" for n in range(80))
        + "\n",
    ),
    "misspelt words": _lines(lambda n: f"segmnet s{n} = customer.score > {n}\n"),
    "mistyped values": _lines(_mistyped),
    "contradictions": _lines(_contradictory),
    "constants": _lines(lambda n: f"segment s{n} = 1 > {n}\n"),
    "the same name": _lines(lambda n: f"segment s = customer.score > {n}\n"),
    "the same label": _journey(lambda _: "  w: wait 2d\n"),
    "missing templates": _journey(lambda n: f'  s{n}: send email "j1/none{n}"\n'),
    "unknown steps": _journey(lambda n: f"  w{n}: wait for opened of s{n} up to 2d\n"),
    "unreachable steps": _journey(lambda n: f"  exit as a{n}\n  w{n}: wait 2d\n"),
    "missing parts": _lines(lambda n: f"journey j{n} {{ w: wait 2d }}\n"),
    "dots": lambda size: "segment s = customer" + ".x" * (size // 2 - 20),
    "SQL": _lines(lambda n: f"segment s{n} = sql`select c.customer_id from shop.t{n} c`\n"),
    "one SQL": _lines(
        lambda n: f" or c.x = {n}", "segment s = sql`select c.id from shop.t c where true", "`\n"
    ),
}
PARTS = {
    "includes": "fragment chase(gap: duration) { pause: wait gap }\n",
}


def text(name: str, size: int = 1024 * 1024) -> str:
    """The shape's text, of at most so many characters."""
    first = PARTS.get(name, "")
    return first + SHAPES[name](size - len(first))
