"""What review cannot see: rules over a project that is right by itself.

A rule is a function from the checked project to findings, one to a file, and stands in ``RULES``.
It is asked only when nothing in the project's definitions is an error, so that it never has
to guess what is missing. A false alarm is worse than silence: where a rule cannot know, it
says nothing.
"""

from journeylang.lint import (
    cap_infeasible,
    consent_borrowed,
    constant_condition,
    contradictory_segment,
    goal_not_an_exit,
    goal_window_too_short,
    identical_arms,
    journeys_compete,
    journeys_start_each_other,
    late_data_race,
    message_too_long,
    no_control,
    no_quiet_hours,
    no_unsubscribe,
    pii_escapes,
    quiet_hours_starve,
    reentry_overlaps,
    salt_reused,
    sql_escape,
    sql_not_portable,
    unbounded_aggregate,
    uncapped_send,
    underpowered,
    unguarded_audience,
    unreachable_step,
    unused_definition,
    wait_without_way_on,
)
from journeylang.lint.rule import Checked, Rule, Settings
from journeylang.lint.run import lint

__all__ = ["RULES", "Checked", "Rule", "Settings", "lint"]

RULES: tuple[Rule, ...] = (
    constant_condition.RULE,
    contradictory_segment.RULE,
    message_too_long.RULE,
    unreachable_step.RULE,
    goal_window_too_short.RULE,
    reentry_overlaps.RULE,
    journeys_start_each_other.RULE,
    quiet_hours_starve.RULE,
    goal_not_an_exit.RULE,
    late_data_race.RULE,
    wait_without_way_on.RULE,
    journeys_compete.RULE,
    uncapped_send.RULE,
    no_quiet_hours.RULE,
    pii_escapes.RULE,
    cap_infeasible.RULE,
    unguarded_audience.RULE,
    no_unsubscribe.RULE,
    consent_borrowed.RULE,
    salt_reused.RULE,
    identical_arms.RULE,
    underpowered.RULE,
    no_control.RULE,
    sql_not_portable.RULE,
    unbounded_aggregate.RULE,
    sql_escape.RULE,
    unused_definition.RULE,
)
"""Every rule, ascending by its code."""
