"""A binding drafted from what a database, or a dbt project, says of itself."""
