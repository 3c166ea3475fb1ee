"""What a report needs and takes long to load, loaded while the database works."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from threading import Thread


@cache
def load_ahead(pictures: bool) -> None:
    """Once in a process. Whoever needs it earlier waits for it, as for any import."""
    Thread(target=_load, args=(pictures,), name="load ahead").start()


def _load(pictures: bool) -> None:
    # What is not there is missed where it is needed.
    with suppress(ImportError):
        import scipy.special  # noqa: F401
    if pictures:
        with suppress(ImportError):
            from journeylang.pictures.charts import columns

            # The first drawing starts an interpreter, which all others are made with.
            columns([("", 0.0)], unit="", of="")
