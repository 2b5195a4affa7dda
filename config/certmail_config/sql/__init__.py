"""The SQL side: the source of what is configured, and the record of what happened.

Start at tables.py; registry.py has the questions about tenants and connections, deliveries.py those
about the record.
"""
