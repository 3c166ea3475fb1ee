"""Why there is no figure: an answer like any other, never NaN and never infinity."""

from __future__ import annotations

from enum import Enum

from journeylang.classes import dataclass


class Reason(Enum):
    """What stands in the way, as a sentence."""

    EMPTY = "a group has no customers"
    ONE = "a group has fewer than two customers, so nothing is known of how they differ"
    IMPOSSIBLE = "the sums contradict each other"
    NO_VARIANCE = "all customers have the same value, so nothing can be told from chance"
    NO_BASE = "the control's value is zero or not clearly apart from it"
    NEGATIVE_BASE = "the control's value is negative"
    NO_PRE_PERIOD = "the metric of the time before is the same for all customers"
    NO_ARMS = "fewer than two arms have a share"
    TOO_FEW_EXPECTED = "an arm is expected to have fewer than five customers"
    TOO_EARLY = "an arm has fewer than 25 conversions"
    RARE = "a group has fewer than five customers who reached the goal"
    NOT_MATURE = "nobody's window is over yet"
    NO_DIFFERENCE = "the difference to be seen is zero"
    NOT_A_SHARE = "a proportion lies outside of 0 to 1"
    NOT_REACHABLE = "no difference is large enough to be seen with so few customers"
    TOO_LARGE = "a figure is too large to be worked with"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question without an answer."""

    reason: Reason

    @property
    def sentence(self) -> str:
        return self.reason.value
