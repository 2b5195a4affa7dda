"""Tenants in the console: the list, and one tenant's page, where its limits are changed."""
