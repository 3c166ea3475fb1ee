"""What review cannot see: rules over a project that is right by itself.

A rule is a function from the checked project to findings, one to a file, and stands in ``RULES``.
It is asked only when nothing in the project's definitions is an error, so that it never has
to guess what is missing. A false alarm is worse than silence: where a rule cannot know, it
says nothing.
"""

from journeylang.lint import (
    contradictory_segment,
    goal_window_too_short,
    reentry_overlaps,
    uncapped_send,
)
from journeylang.lint.rule import Checked, Rule, Settings
from journeylang.lint.run import lint

__all__ = ["RULES", "Checked", "Rule", "Settings", "lint"]

RULES: tuple[Rule, ...] = (
    contradictory_segment.RULE,
    goal_window_too_short.RULE,
    reentry_overlaps.RULE,
    uncapped_send.RULE,
)
"""Every rule, ascending by its code."""
