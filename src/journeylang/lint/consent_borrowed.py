"""JRN308: a channel that goes by the consent that was given for another one."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.consent import CONSENT_BORROWED
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.syntax import nodes

_WORDS = {
    "email": {"email", "mail", "newsletter"},
    "sms": {"sms", "text", "texts", "mobile", "phone"},
    "push": {"push", "app"},
    "post": {"post", "postal", "letter", "letters"},
    "call": {"call", "calls", "phone", "mobile"},
}
"""How the consent of a channel may be called besides the channel's own name."""


def consent_borrowed(checked: Checked) -> Iterator[Diagnostic]:
    """Where the consent is named for another channel that goes by it too.

    A consent with a name of its own (`marketing`) may well be meant for all of them, and two
    channels that reach the same address ask for the same thing.
    """
    channels = checked.project.binding.channels
    for channel in channels.values():
        if channel.consent is None:
            continue
        words = set(channel.consent.split("_"))
        if words & _names(channel.name):
            continue
        for other in channels.values():
            same = other.name == channel.name or other.address == channel.address
            if not same and other.consent == channel.consent and words & _names(other.name):
                place = _setting(checked.declared.channels[channel.name])
                yield Diagnostic(
                    code=CONSENT_BORROWED,
                    message=f"`{channel.name}` goes by the consent for `{other.name}`",
                    span=place.value.span,
                    labels=(
                        Label(
                            _setting(checked.declared.channels[other.name]).value.span,
                            f"here it is that of `{other.name}`",
                        ),
                    ),
                    help=f"bind a consent that was given for `{channel.name}`:"
                    f" `consent {channel.name}_marketing from …`",
                )
                break


def _names(channel: str) -> set[str]:
    return _WORDS.get(channel, {channel}) | {channel}


def _setting(channel: nodes.Channel) -> nodes.Pair:
    return next(pair for pair in channel.settings if pair.key.text == "consent")


RULE = Rule(code=CONSENT_BORROWED, find=consent_borrowed)
