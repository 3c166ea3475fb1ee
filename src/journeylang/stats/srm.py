"""Sample ratio mismatch: have the arms got as many customers as their shares promise?"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.classes import dataclass
from journeylang.stats.refusals import Reason, Refusal

ALARM = 0.001
_EXPECTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`statistic` is chi-squared with `freedom` degrees of freedom."""

    statistic: float
    freedom: int
    p: float

    @property
    def alarm(self) -> bool:
        """The arms are not comparable, whatever their results are."""
        return self.p < ALARM


def balance(counts: Sequence[int], shares: Sequence[float]) -> Balance | Refusal:
    """Pearson's test of the counts against the shares, of arms with a share above 0.

    A. Fabijan and others, "Diagnosing sample ratio mismatch in online controlled experiments",
    KDD 2019. Shares need not add up to 1: under weights that change by day they are the customers
    expected per arm.
    """
    if len(counts) != len(shares) or any(n < 0 for n in counts):
        return Refusal(Reason.IMPOSSIBLE)
    arms = [(n, share) for n, share in zip(counts, shares, strict=True) if share > 0]
    if len(arms) < 2:
        return Refusal(Reason.NO_ARMS)
    customers, whole = sum(n for n, _ in arms), sum(share for _, share in arms)
    if customers == 0:
        return Refusal(Reason.EMPTY)
    expected = [customers * share / whole for _, share in arms]
    if min(expected) < _EXPECTED:
        return Refusal(Reason.TOO_FEW_EXPECTED)

    from scipy.special import chdtrc

    found = sum((n - e) ** 2 / e for (n, _), e in zip(arms, expected, strict=True))
    freedom = len(arms) - 1
    return Balance(statistic=found, freedom=freedom, p=float(chdtrc(freedom, found)))
