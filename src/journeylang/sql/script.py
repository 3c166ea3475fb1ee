"""The statements as a person reads them: formatted, with a line on what each is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from journeylang.model.measures import OF_GOALS
from journeylang.model.project import Project
from journeylang.plan.asks import rankings
from journeylang.plan.incremental import Full, Kind
from journeylang.plan.operations import ActionPark, Program
from journeylang.sql.arbitration import DecideSql, arbitration_sql
from journeylang.sql.codes import CodesSql, codes_sql
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.gone import leave
from journeylang.sql.learning import outcomes
from journeylang.sql.moves import JourneySql, Moves, journey_sql
from journeylang.sql.profile import profile_writes
from journeylang.sql.rankings import ranking_rows
from journeylang.sql.reach import Situation
from journeylang.sql.results import result
from journeylang.sql.session import landing_sends, sends
from journeylang.sql.writes import final_writes


def segment_query(compiler: Compiler, name: str) -> str:
    """The customers of a segment; parameter {now}."""
    scope = compiler.scope(Rows())
    condition = predicate(compiler.project.segments[name].condition, scope)
    joins = scope.joins()
    return (
        f"SELECT c.customer_id\nFROM {compiler.base(*scope.fields)} AS c{joins}\nWHERE {condition}"
    )


def scripts(
    project: Project,
    program: Program,
    steps: Mapping[tuple[str, str], int],
    dialect: Dialect,
    session: Iterable[str],
    probe: str,
) -> dict[str, str]:
    """Files by name: one per journey, the segments, and what all journeys share."""
    compiler = Compiler(project=project, dialect=dialect, steps=steps)
    files = {}
    if project.segments:
        files["project.segments.sql"] = _script(
            dialect,
            [(f"segment {name}", segment_query(compiler, name)) for name in project.segments],
        )
    for plan in program.journeys:
        sql = journey_sql(compiler, plan)
        states = {plan.journey: sql.news["states"]} if "states" in sql.news else {}
        moves = Moves(compiler=compiler, plans=(plan,), states=states)
        edges = frozenset((plan.journey, e.edge) for e in plan.edges)
        parts = [(_titled("who enters", "when", sql), sql.enter)]
        if sql.enter_changed is not None and sql.membership is None:
            parts.append(("who enters: of customers with news", sql.enter_changed))
        if sql.membership is not None:
            parts[0] = ("who enters", sql.enter)
            if sql.membership.inside_changed is not None:
                changed = sql.membership.inside_changed
                parts.insert(0, ("who is inside: of customers with news", changed))
            parts.insert(0, (_titled("who is inside", "when", sql), sql.membership.inside))
            parts += [("who was inside", keep) for keep in sql.membership.keep]
        if sql.taken is not None:
            parts.append(("what was started is done", sql.taken))
        if sql.exits is not None:
            parts.insert(0, (_titled("who leaves", "exits", sql), sql.exits))
        if sql.exits_changed is not None:
            parts.insert(1, ("who leaves: of customers with news", sql.exits_changed))
        alone = frozenset([plan.journey])
        every = alone if "states" in sql.looks else frozenset()
        left = sql.exits is not None
        parts.append((_titled("who wakes", "states", sql), moves.wake(alone, every, left=left)))
        if "states" in sql.news:
            title = "who wakes: for a state, of customers with news"
            parts.append((title, moves.wake(alone, changed=alone, left=left)))
        parts.append(("where they come to", moves.advance(edges)))
        acts = frozenset(p.step for p in plan.parks if isinstance(p, ActionPark))
        parts += [("what steps leave behind", act) for act in moves.act(acts)]
        call = moves.call(acts)
        if call is not None:
            parts.append(("what is called outside", call))
        parts += [("what has been learnt", outcomes(compiler, lesson)) for lesson in plan.learning]
        parts += [
            (f"what it has brought: {guard.measure}", result(compiler, plan, number))
            for number, guard in enumerate(plan.guards)
            if guard.measure in OF_GOALS
        ]
        files[f"{plan.name}.sql"] = _script(dialect, parts)
    shared = [("the plan as tables", ";\n".join(session)), ("is there anything to do", probe)]
    shared.append(("who is gone", leave(compiler, [j.journey for j in program.journeys])))
    shared += [
        ("a ranking of all customers", ranking_rows(by, compiler.scope(Rows())))
        for by, _, _ in rankings(project, program.journeys)
    ]
    if any(sends(plan) for plan in program.journeys):
        arbitration = arbitration_sql(compiler, program, landing_sends(program))
        everything = frozenset(p.step for plan in program.journeys for p in sends(plan))
        shared += [
            *([("who stands at a send", arbitration.intents)] if arbitration.intents else []),
            *_decisions(arbitration.decide(everything, Situation())),
            *_codes(codes_sql(compiler, program), everything),
            ("the messages", arbitration.messages),
            ("what came of them", arbitration.outcomes),
            ("who waits there", arbitration.held),
        ]
    shared += list(final_writes(dialect, program).items())
    if project.profile:
        shared += list(profile_writes(dialect).items())
    files["project.shared.sql"] = _script(dialect, shared)
    return files


def _titled(title: str, kind: Kind, sql: JourneySql) -> str:
    """With why it is so each time, if a look at news alone would not be exact."""
    look = sql.looks.get(kind)
    if not isinstance(look, Full):
        return title
    way_out = f"; {look.way_out}" if look.way_out else ""
    return f"{title}: everybody each time, for {look.reason}{way_out}"


def _codes(codes: CodesSql | None, steps: frozenset[int]) -> Iterator[tuple[str, str]]:
    if codes is None:
        return
    for drawing in codes.draws(steps):
        yield "how many need a code", drawing.wanted
        yield "draw their codes", drawing.attempts[0]
    yield "put the codes into the messages", codes.fill
    yield "who got none", codes.refuse


def _decisions(decide: DecideSql) -> Iterator[tuple[str, str]]:
    rations = decide.rations
    if decide.verdicts is not None and rations is not None:
        yield "what is used up of budgets and capacities", rations.spent
        yield "may it be sent, but for them", decide.verdicts
        yield "who is the first for whom there is not enough", rations.close
        yield "for whom there is not enough", rations.stop
        yield "for whom there is", rations.grant
        yield "what they take", rations.charge
        yield "may it be sent", decide.settle
        yield "what the messages are charged to", rations.charges
    else:
        yield "may it be sent", decide.settle


def _script(dialect: Dialect, parts: Iterable[tuple[str, str]]) -> str:
    shown = laid_out if dialect.name == "duckdb" else str
    return "\n".join(f"-- {title}\n{shown(sql)};\n" for title, sql in parts)


def laid_out(sql: str) -> str:
    """DuckDB's, laid out by sqlglot, for reading alone: what runs is the text it is given."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse(sql, read="duckdb")
    except SqlglotError:
        return sql
    return ";\n".join(
        statement.sql(dialect="duckdb", pretty=True) for statement in parsed if statement
    )
