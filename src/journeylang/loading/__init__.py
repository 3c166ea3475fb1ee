"""A project from its folder: journey.toml, the *.journey files, the templates."""
