"""What an operator does with tenants, connections, links and keys.

Each step writes SQL first, then the working copy in Redis.

Start at `Admin` in admin.py.
"""
