"""What an operator does with tenants, connections, links and keys: SQL first, then Redis.

Start at `Admin` in admin.py; projector.py writes to Redis what SQL says.
"""
