"""Diagnostics as JUnit XML, for CI systems that show test results and nothing else.

A suite for each file, a case for each finding in it: an error is a failure, a warning is a case
that was skipped, so that what fails is what makes ``check`` exit with 1. A file with nothing
found is one case that passes.
"""

import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from journeylang.diagnostics.model import Diagnostic
from journeylang.diagnostics.region import region
from journeylang.source import Source

# XML 1.0 has no way to write the others, not even as a reference.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, folder: str = ""
) -> str:
    """The document; ``folder`` is where the project lies in the repository."""
    by_file: dict[str, list[Diagnostic]] = {path: [] for path in sorted(sources)}
    for diagnostic in diagnostics:
        path = diagnostic.span.path if diagnostic.span is not None else ""
        by_file.setdefault(path, []).append(diagnostic)
    root = ET.Element("testsuites", name="journey check")
    for path, found in by_file.items():
        file = f"{folder}{path}" if path else "project"
        suite = ET.SubElement(root, "testsuite", name=xml_text(file), errors="0")
        if not found:
            ET.SubElement(suite, "testcase", name="check", classname=xml_text(file))
        for diagnostic in found:
            _case(suite, file if path else "", diagnostic, sources)
        _count(suite, suite)
    _count(root, root)
    root.set("errors", "0")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode")


def _case(
    suite: ET.Element, file: str, diagnostic: Diagnostic, sources: Mapping[str, Source]
) -> None:
    place = region(diagnostic.span, sources)
    where = f":{place.line}:{place.column}" if place else ""
    case = ET.SubElement(
        suite,
        "testcase",
        name=xml_text(f"{diagnostic.code.id} {diagnostic.code.name}{where}"),
        classname=xml_text(file or "project"),
    )
    if file:
        case.set("file", xml_text(file))
    if place:
        case.set("line", str(place.line))
    message = xml_text(diagnostic.message)
    if diagnostic.is_error:
        result = ET.SubElement(case, "failure", message=message, type=diagnostic.code.name)
        lines = [f"{file}{where}" if file else "", diagnostic.message, diagnostic.help]
        result.text = xml_text("\n".join(line for line in lines if line))
    else:
        ET.SubElement(case, "skipped", message=message)


def _count(element: ET.Element, within: ET.Element) -> None:
    element.set("tests", str(sum(1 for _ in within.iter("testcase"))))
    element.set("failures", str(sum(1 for _ in within.iter("failure"))))
    element.set("skipped", str(sum(1 for _ in within.iter("skipped"))))


def xml_text(text: str) -> str:
    """The text without characters that XML cannot carry."""
    return _NO_XML.sub("\ufffd", text)
