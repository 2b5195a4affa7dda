"""Sending webhooks, one of the keeper's services. Start at `sender`."""
