"""The few pages that people see: to unsubscribe, to choose, to answer. No script but one line."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256

from jinja2 import DictLoader, Environment, StrictUndefined

from journeylang.classes import dataclass
from journeylang.serve.page_words import Words
from journeylang.serve.records import FREQUENCIES

SUBMIT = "document.forms[0].submit()"
"""What answers without a second click; programs that only follow links run no script."""

CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self';"
    f" script-src 'sha256-{b64encode(sha256(SUBMIT.encode()).digest()).decode()}'"
)

_FRAME = """<!doctype html>
<html lang="{{ lang }}"><head><meta charset="utf-8">
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
    "unsubscribe": """{% extends "frame" %}{% block title %}{{ words.unsubscribe }}{% endblock %}
{% block body %}<p>{{ words.no_further }}</p>
<form method="post"><input type="hidden" name="lang" value="{{ lang }}">
<button name="List-Unsubscribe" value="One-Click">
{{ words.unsubscribe }}</button></form>
{% endblock %}""",
    "unsubscribed": """{% extends "frame" %}{% block title %}{{ words.unsubscribed }}{% endblock %}
{% block body %}<p>{{ words.no_further }}</p>{% endblock %}""",
    "preferences": """{% extends "frame" %}{% block title %}{{ words.preferences }}{% endblock %}
{% block body %}<form method="post"><input type="hidden" name="shown" value="1">
<input type="hidden" name="lang" value="{{ lang }}">
{% if channels %}<fieldset><legend>{{ words.channels }}</legend>
{% for one in channels %}<input type="hidden" name="shown" value="channel {{ one.name }}">
<label><input type="checkbox" name="channel" value="{{ one.name }}"
{% if one.given %} checked{% endif %}> {{ one.title }}</label>{% endfor %}</fieldset>{% endif %}
{% if topics %}<fieldset><legend>{{ words.topics }}</legend>
{% for one in topics %}<input type="hidden" name="shown" value="topic {{ one.name }}">
<label><input type="checkbox" name="topic" value="{{ one.name }}"
{% if one.given %} checked{% endif %}> {{ one.title }}</label>{% endfor %}</fieldset>{% endif %}
<fieldset><legend>{{ words.often }}</legend><select name="frequency">
{% for name in frequencies %}<option value="{{ name }}"{% if name == frequency %}
 selected{% endif %}>{{ words[name] }}</option>{% endfor %}</select></fieldset>
<button>{{ words.save }}</button></form>{% endblock %}""",
    "saved": """{% extends "frame" %}{% block title %}{{ words.saved }}{% endblock %}
{% block body %}<p>{{ words.saved_more }}</p>{% endblock %}""",
    "answer": """{% extends "frame" %}{% block title %}{{ words.answer }}{% endblock %}
{% block body %}<form method="post"><input type="hidden" name="lang" value="{{ lang }}">
<button>{{ value }}</button></form>
<script>{{ script | safe }}</script>{% endblock %}""",
    "answered": """{% extends "frame" %}{% block title %}{{ words.thanks }}{% endblock %}
{% block body %}<p>{{ words.answered }}</p>{% endblock %}""",
    "confirm": """{% extends "frame" %}{% block title %}{{ words.confirm }}{% endblock %}
{% block body %}<form method="post"><input type="hidden" name="lang" value="{{ lang }}">
<button>{{ words.confirm_yes }}</button></form>
{% endblock %}""",
    "confirmed": """{% extends "frame" %}{% block title %}{{ words.thanks }}{% endblock %}
{% block body %}<p>{{ words.confirmed }}</p>{% endblock %}""",
    "unknown": """{% extends "frame" %}{% block title %}{{ words.unknown }}{% endblock %}
{% block body %}<p>{{ words.unknown_more }}</p>{% endblock %}""",
    "later": """{% extends "frame" %}{% block title %}{{ words.later }}{% endblock %}
{% block body %}<p>{{ words.later_more }}</p>{% endblock %}""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A channel or a topic, as it stands."""

    name: str
    title: str
    given: bool


@cache
def _environment() -> Environment:
    return Environment(loader=DictLoader(_PAGES), autoescape=True, undefined=StrictUndefined)


def page(name: str, words: Words, **values: object) -> bytes:
    """A page in the language of the words."""
    made = _environment().get_template(name)
    given = {"words": words.texts, "lang": words.locale, **values}
    return made.render(given).encode("utf-8", "replace")


def preferences(
    words: Words, channels: Sequence[Choice], topics: Sequence[Choice], frequency: str
) -> bytes:
    """What counts now, to be chosen anew."""
    return page(
        "preferences",
        words,
        channels=[_titled(words, "channel", one) for one in channels],
        topics=[_titled(words, "topic", one) for one in topics],
        frequency=frequency,
        frequencies=FREQUENCIES,
    )


def _titled(words: Words, kind: str, one: Choice) -> Choice:
    return replace(one, title=words.title(kind, one.name, one.title))


PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""A transparent picture of one dot."""
