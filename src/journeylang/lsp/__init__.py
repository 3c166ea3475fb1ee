"""The language server: what an editor asks about a project while it is being written."""
