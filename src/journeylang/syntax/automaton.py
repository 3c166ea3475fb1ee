"""The table of the grammar, asked what it would accept, without making anything."""

from journeylang.syntax.grammar import tables


def feed(states: list[int], kind: str) -> bool:
    """Whether a token can come next; the stack of states is then moved on behind it.

    When it cannot, the stack is left somewhere on the way: hand in a copy.
    """
    made = tables()
    rows, reductions = made.states, made.reductions
    while True:
        action = rows[states[-1]].get(kind)
        if action is None:
            return False
        if action >= 0:
            states.append(action)
            return True
        reduction = reductions[~action]
        if reduction.size:
            del states[-reduction.size :]
        states.append(rows[states[-1]][reduction.symbol])
        if kind == "$END" and states[-1] in made.ends.values():
            return True


def acceptable(states: list[int]) -> list[str]:
    """The kinds of token that can come next, in order of the table.

    The row of a state also names kinds that can follow in other places only; they are tried.
    """
    row = tables().states[states[-1]]
    return [kind for kind in row if is_token(kind) and feed(states.copy(), kind)]


def is_token(symbol: str) -> bool:
    """Tokens are written in upper case, rules in lower."""
    return symbol.isupper()


def resolved(kind: str, word: str, state: int) -> str:
    """The keyword that a name is, where the state has a place for it; else the kind itself."""
    if kind == "NAME":
        made = tables()
        keyword = made.keywords.get(word)
        if keyword is not None and keyword in made.states[state]:
            return keyword
    return kind
