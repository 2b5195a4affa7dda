"""Tenants and their connections, as every process knows them, and their working copy in Redis.

Start at models.py; what changes them is in `admin`.
"""
