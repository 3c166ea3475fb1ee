"""Every code there is, by family.

A code is never renumbered and never used again for something else: people write it into
their suppressions and pipelines.
"""

from journeylang.diagnostics.codes import (
    consent,
    experiments,
    flow,
    lists,
    names,
    portability,
    running,
    simulating,
    starting,
    syntax,
    trials,
    unused,
    versions,
)
from journeylang.diagnostics.model import Code

ALL_CODES: tuple[Code, ...] = (
    *syntax.CODES,
    *names.CODES,
    *flow.CODES,
    *consent.CODES,
    *experiments.CODES,
    *versions.CODES,
    *portability.CODES,
    *unused.CODES,
    *running.CODES,
    *lists.CODES,
    *trials.CODES,
    *simulating.CODES,
    *starting.CODES,
)
"""All codes, ascending by id."""

_BY_KEY = {key: code for code in ALL_CODES for key in (code.id.lower(), code.name)}


def find_code(text: str) -> Code | None:
    """The code of this id, number or name: ``JRN101``, ``jrn101``, ``101``, ``unknown-name``."""
    key = text.strip().lower()
    return _BY_KEY.get(key) or _BY_KEY.get(f"jrn{key}")
