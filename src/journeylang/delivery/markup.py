"""HTML for mailboxes: MJML becomes tables, and styles move to the elements that they are for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from css_inline import CSSInliner


class MarkupError(ValueError):
    """The markup is not understood; the message is one line."""


def mjml_to_html(text: str) -> str:
    """A template of MJML as one of HTML, its tags of Jinja2 kept as they are.

    Done once per template. Nothing else is read: `mj-include` finds nothing.

    Raises:
        MarkupError: it is no MJML, or the package that understands it is not there.
    """
    try:
        import mrml
    except ModuleNotFoundError:
        raise MarkupError("MJML needs one more package: `pip install journeylang[mjml]`") from None
    try:
        html: str = mrml.to_html(text).content
    except OSError as error:
        raise MarkupError(f"no MJML: {str(error).splitlines()[0]}") from None
    return html


def with_inlined_styles(html: str) -> str:
    """The rules of `<style>` as attributes, for mailboxes that leave `<style>` out.

    What cannot be an attribute (`@media` and the like) stays in `<style>`. No stylesheet is
    fetched.
    """
    if "<style" not in html and "<STYLE" not in html:
        return html
    return _inliner().inline(html)


@lru_cache(maxsize=1)
def _inliner() -> CSSInliner:
    import css_inline

    # Without its at-rules a message would lose the dark mode.
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
