"""Results of ``journey test`` for programs: JSON and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from journeylang.cli.reports import folder_in_repository
from journeylang.cli.test import problems
from journeylang.diagnostics.junit import xml_text
from journeylang.diagnostics.region import region
from journeylang.loading.understood import Understood
from journeylang.trial.coverage import Coverage
from journeylang.trial.run import Result


def as_json(results: Sequence[Result], reached: Coverage | None, loaded: Understood) -> str:
    """One object; the instants of a timeline are as the customer's clock shows them."""
    body: dict[str, Any] = {
        "format_version": 1,
        "passed": sum(r.passed for r in results),
        "failed": sum(not r.passed for r in results),
        "tests": [_test(result, loaded) for result in results],
    }
    if reached is not None:
        body["coverage"] = {
            "reached": reached.reached,
            "total": reached.total,
            "missed": [
                {"journey": p.journey, "step": p.path, "what": p.what, **_place(p.span, loaded)}
                for p in reached.missed
            ],
        }
    return json.dumps(body, indent=2, ensure_ascii=False)


def _test(result: Result, loaded: Understood) -> dict[str, Any]:
    return {
        "journey": result.trial.journey,
        "title": result.trial.title,
        **_place(result.trial.span, loaded),
        "passed": result.passed,
        "seconds": round(result.seconds, 3),
        "failures": [
            {"message": d.message, "found": d.label, **_place(d.span, loaded)}
            for d in problems(result)
            if not result.passed
        ],
        "timeline": list(result.lines),
    }


def _place(span: Any, loaded: Understood) -> dict[str, Any]:
    place = region(span, loaded.sources)
    return {"file": span.path, "line": place.line if place is not None else None}


def as_junit(results: Sequence[Result], _: Coverage | None, loaded: Understood) -> str:
    """A suite for each journey, a case for each test. Coverage has no place in this format."""
    folder = folder_in_repository(loaded.root)
    root = ET.Element("testsuites", name="journey test")
    suites: dict[str, ET.Element] = {}
    for result in results:
        journey = result.trial.journey
        if journey not in suites:
            suites[journey] = ET.SubElement(root, "testsuite", name=journey)
        place = _place(result.trial.span, loaded)
        case = ET.SubElement(
            suites[journey],
            "testcase",
            name=xml_text(result.trial.title),
            classname=journey,
            file=xml_text(f"{folder}{place['file']}"),
            line=str(place["line"]),
            time=f"{result.seconds:.3f}",
        )
        for found in [] if result.passed else problems(result)[:1]:
            told = ET.SubElement(
                case,
                "failure" if result.error is None else "error",
                message=xml_text(found.message),
                type=found.code.name,
            )
            lines = [f"{d.message}: {d.label}" if d.label else d.message for d in problems(result)]
            told.text = xml_text("\n".join([*lines, "", *result.lines]))
    for element in (*suites.values(), root):
        for counted, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            element.set(counted, str(sum(1 for _ in element.iter(tag))))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode")
