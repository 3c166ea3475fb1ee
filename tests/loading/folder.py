"""A project's folder, written file by file."""

from pathlib import Path

CONFIG = '[project]\nname = "acme"\n\n[env.dev]\ndatabase = "acme.duckdb"\n'

BINDING = """customers from crm.customers as c {
  key c.id
  timezone c.tz else "Europe/Berlin"
  field email: text?
}
event signed_up from crm.signups as s { key s.id customer s.c at s.t append only }
consent email_marketing when customer.email is known
channel email { address: customer.email, consent: email_marketing }
policy standard { cap email 3 per 7d }
"""

WELCOME = """journey welcome {
  owner "a@b.example"
  enter on signed_up
  hello: send email
}
"""

PAGE = """---
subject: Hello
---
<p>Hello</p>
<p>Acme GmbH, Hauptstr. 1, 10115 Berlin. <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
"""


def write(root: Path, **files: str) -> Path:
    """A small project that is right, with ``files`` put over it: ``journeys__x="…"``.

    In names ``__`` is ``/`` and ``_dot_`` is ``.``; what has no ending is a journey file.
    """
    texts = {
        "journey.toml": CONFIG,
        "journeys/binding.journey": BINDING,
        "journeys/welcome.journey": WELCOME,
        "templates/welcome/hello.email.html": PAGE,
    }
    for name, text in files.items():
        path = name.replace("__", "/").replace("_dot_", ".")
        texts[path if "." in path else f"{path}.journey"] = text
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root
