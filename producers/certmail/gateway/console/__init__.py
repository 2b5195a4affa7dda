"""The console: where an operator, or a tenant's administrator whom a set-up link brought, connects mailboxes in a browser."""
