"""``check --fix``: fixes into the files, all of a round or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from journeylang.classes import dataclass
from journeylang.diagnostics.codes.running import FILE_UNREADABLE
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.fixes import fixed
from journeylang.loading.checking import Checking, check
from journeylang.loading.rewrite import put_in_place

MOST_ROUNDS = 10
"""A fix may bring about another finding with a fix; at some time there has to be an end."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """What was done: the texts of changed files before and after, and how many findings it was.

    ``checking`` is what is found now. ``problems`` say why nothing (more) was written.
    """

    checking: Checking
    before: Mapping[str, str]
    after: Mapping[str, str]
    count: int
    problems: tuple[Diagnostic, ...] = ()


def mend(
    root: Path,
    chosen: Callable[[Checking], tuple[Diagnostic, ...]],
    *,
    unsafe: bool,
) -> Mending:
    """Apply the fixes of the chosen findings, and then of those that are found next."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    count = 0
    checking = check(root)
    for _ in range(MOST_ROUNDS):
        round_ = fixed(chosen(checking), checking.sources, unsafe=unsafe)
        if not round_.texts:
            break
        old = {path: checking.sources[path].text for path in round_.texts}
        problem = _write_all(root, old, round_.texts)
        if problem is not None:
            return Mending(
                checking=checking, before=before, after=after, count=count, problems=(problem,)
            )
        before = old | before
        after |= round_.texts
        count += len(round_.applied)
        checking = check(root)
    return Mending(checking=checking, before=before, after=after, count=count)


def _write_all(root: Path, old: Mapping[str, str], new: Mapping[str, str]) -> Diagnostic | None:
    """Write all files; when one cannot be written those before it get their old text back."""
    written: dict[Path, bytes] = {}
    for path, text in new.items():
        file = root / path
        try:
            data = file.read_bytes()
            mark = _BYTE_ORDER_MARK if data.startswith(_BYTE_ORDER_MARK) else b""
            if data != mark + old[path].encode():
                raise OSError(None, "changed while it was checked")
            put_in_place(file, mark + text.encode())
        except OSError as error:
            for done, bytes_ in written.items():
                put_in_place(done, bytes_)
            reason = (error.strerror or "refused").lower()
            return Diagnostic(
                code=FILE_UNREADABLE,
                message=f"`{path}` cannot be written: {reason}",
                help="nothing of this round was changed; check permissions, and run it again",
            )
        written[file] = data
    return None
