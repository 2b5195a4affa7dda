"""The SQL side: the source of what is configured, and the record of what happened."""
