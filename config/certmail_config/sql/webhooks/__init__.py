"""Webhooks in SQL: endpoints, what they subscribe to, and the messages that wait for them."""
