"""Tenants and their connections, as every process knows them, and their working copy in Redis.

What changes them is in `admin`.
"""
