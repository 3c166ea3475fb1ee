"""From the outbox to the provider: claiming, rendering, sending, receipts."""
