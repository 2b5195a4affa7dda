"""The administration of webhooks. Start at `endpoints`."""
