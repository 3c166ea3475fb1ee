"""Findings: what they are, their codes, and how they are shown."""

from journeylang.diagnostics.model import Code, Diagnostic, Label, Outcome, Severity, in_order

__all__ = ["Code", "Diagnostic", "Label", "Outcome", "Severity", "in_order"]
