"""SQL: the runtime's tables, and the statements of a tick as text in one dialect."""
