"""`journey serve`: what people and providers answer, on its way into the database."""
