"""Why somebody is where they are, got a message or did not: from the ledger and the tables."""
