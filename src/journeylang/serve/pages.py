"""The few pages that people see: to unsubscribe, to choose, to answer. No script but one line."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from jinja2 import DictLoader, Environment, StrictUndefined

from journeylang.classes import dataclass

SUBMIT = "document.forms[0].submit()"
"""What answers without a second click; programs that only follow links run no script."""

CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self';"
    f" script-src 'sha256-{b64encode(sha256(SUBMIT.encode()).digest()).decode()}'"
)

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{% block title %}{% endblock %}</title>
<style>
:root { color-scheme: light dark }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 32rem }
body { margin: 12vh auto; padding: 0 1rem }
fieldset { border: 0; padding: 0; margin: 0 0 1.5rem } legend { font-weight: 600; padding: 0 }
label { display: block; padding: .3rem 0 } button { font: inherit; padding: .6rem 1.2rem }
select { font: inherit }
</style></head><body>
<h1>{{ self.title() }}</h1>
{% block body %}{% endblock %}
</body></html>
"""

_PAGES = {
    "frame": _FRAME,
    "unsubscribe": """{% extends "frame" %}{% block title %}Unsubscribe{% endblock %}
{% block body %}<p>No further messages of this kind will be sent.</p>
<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>
{% endblock %}""",
    "unsubscribed": """{% extends "frame" %}{% block title %}Unsubscribed{% endblock %}
{% block body %}<p>No further messages of this kind will be sent.</p>{% endblock %}""",
    "preferences": """{% extends "frame" %}{% block title %}Preferences{% endblock %}
{% block body %}<form method="post"><input type="hidden" name="shown" value="1">
{% if channels %}<fieldset><legend>Ways to be reached</legend>
{% for one in channels %}<input type="hidden" name="shown" value="channel {{ one.name }}">
<label><input type="checkbox" name="channel" value="{{ one.name }}"
{% if one.given %} checked{% endif %}> {{ one.title }}</label>{% endfor %}</fieldset>{% endif %}
{% if topics %}<fieldset><legend>Topics</legend>
{% for one in topics %}<input type="hidden" name="shown" value="topic {{ one.name }}">
<label><input type="checkbox" name="topic" value="{{ one.name }}"
{% if one.given %} checked{% endif %}> {{ one.title }}</label>{% endfor %}</fieldset>{% endif %}
<fieldset><legend>How often</legend><select name="frequency">
{% for name, title in frequencies %}<option value="{{ name }}"{% if name == frequency %}
 selected{% endif %}>{{ title }}</option>{% endfor %}</select></fieldset>
<button>Save</button></form>{% endblock %}""",
    "saved": """{% extends "frame" %}{% block title %}Saved{% endblock %}
{% block body %}<p>Thank you. From now on this is what counts.</p>{% endblock %}""",
    "answer": """{% extends "frame" %}{% block title %}Send the answer{% endblock %}
{% block body %}<form method="post"><button>{{ value }}</button></form>
<script>{{ script | safe }}</script>{% endblock %}""",
    "answered": """{% extends "frame" %}{% block title %}Thank you{% endblock %}
{% block body %}<p>The answer has arrived.</p>{% endblock %}""",
    "confirm": """{% extends "frame" %}{% block title %}Please confirm{% endblock %}
{% block body %}<form method="post"><button>Yes, it was me: write to me</button></form>
{% endblock %}""",
    "confirmed": """{% extends "frame" %}{% block title %}Thank you{% endblock %}
{% block body %}<p>It is confirmed. Every message has a link to take it back.</p>{% endblock %}""",
    "unknown": """{% extends "frame" %}{% block title %}Not a link of ours{% endblock %}
{% block body %}<p>The address is incomplete, or older than the key that signed it. Please take it
from the message once more.</p>{% endblock %}""",
    "later": """{% extends "frame" %}{% block title %}Please try again{% endblock %}
{% block body %}<p>This cannot be shown at the moment. In a minute it can.</p>{% endblock %}""",
}

FREQUENCIES = (
    ("any", "as there is something to tell"),
    ("weekly", "once a week at most"),
    ("monthly", "once a month at most"),
)
_CHANNELS = {"email": "E-mail", "sms": "SMS", "push": "Notifications", "post": "Letters"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A channel or a topic, as it stands."""

    name: str
    title: str
    given: bool


def channel_title(name: str) -> str:
    return _CHANNELS.get(name, name.replace("_", " ").capitalize())


@cache
def _environment() -> Environment:
    return Environment(loader=DictLoader(_PAGES), autoescape=True, undefined=StrictUndefined)


def page(name: str, **values: object) -> bytes:
    return _environment().get_template(name).render(values).encode("utf-8", "replace")


def preferences(channels: Sequence[Choice], topics: Sequence[Choice], frequency: str) -> bytes:
    return page(
        "preferences",
        channels=channels,
        topics=topics,
        frequency=frequency,
        frequencies=FREQUENCIES,
    )


PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""A transparent picture of one dot."""
