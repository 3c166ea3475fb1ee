"""The ``journey`` command: each verb parses its options, calls, prints, and exits."""
