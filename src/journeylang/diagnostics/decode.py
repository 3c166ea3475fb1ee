"""From the bytes of a file to a text whose every character has a place."""

from journeylang.diagnostics.codes import syntax
from journeylang.diagnostics.model import Code, Diagnostic, Outcome
from journeylang.source import Source, Span

LARGEST = 1024 * 1024
"""Bytes of the largest file that is read: 1 MiB."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def decode(path: str, data: bytes) -> Outcome[Source]:
    """The source of ``data``, shown as ``path``.

    A byte-order mark is dropped, line ends are kept. Bytes that are not UTF-8 and NUL
    characters are errors; the source then comes with replacement characters in their
    place, good for showing the errors but not for parsing. A file over 1 MiB has no source.
    """
    if len(data) > LARGEST:
        return Outcome(value=None, diagnostics=(_too_large(path, len(data)),))
    body = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        source = Source(path=path, text=body.decode("utf-8"))
    except UnicodeDecodeError as error:
        source = Source(path=path, text=body.decode("utf-8", errors="replace"))
        # Only the first bad place is told: an encoding that is wrong is wrong everywhere.
        offset = len(body[: error.start].decode("utf-8"))
        found = " ".join(f"{byte:02x}" for byte in body[error.start : error.end])
        what = f"the bytes `{found}` are not UTF-8"
        return Outcome(value=source, diagnostics=(_found(source, offset, syntax.NOT_UTF8, what),))
    nul = source.text.find("\0")
    if nul >= 0:
        what = "a NUL character in a text"
        return Outcome(value=source, diagnostics=(_found(source, nul, syntax.NUL_CHARACTER, what),))
    return Outcome(value=source)


def _too_large(path: str, size: int) -> Diagnostic:
    return Diagnostic(
        code=syntax.FILE_TOO_LARGE,
        message=f"the file has {size:,} bytes, more than the {LARGEST:,} that are read",
        span=Span(path, 0, 0),
        help="split it: all *.journey files of a project are one whole",
    )


def _found(source: Source, offset: int, code: Code, what: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=what,
        span=source.span(offset, offset + 1),
        help="save the file as UTF-8 text",
    )
