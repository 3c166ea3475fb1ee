"""Findings: what they are, their codes, and how they are shown."""

from journeylang.diagnostics.model import (
    Code,
    Diagnostic,
    Edit,
    Fix,
    Label,
    Outcome,
    Severity,
    in_order,
)

__all__ = [
    "Code",
    "Diagnostic",
    "Edit",
    "Fix",
    "Label",
    "Outcome",
    "Severity",
    "in_order",
]
