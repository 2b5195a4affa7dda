"""Linking a Google account: from the callback to a question, and from its answer to a connection that works."""
