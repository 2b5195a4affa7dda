"""What tenants write in their mails themselves, in SQL."""
