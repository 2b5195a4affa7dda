"""Metrics: what is told of certmail in numbers, declared once, and what processes count with.

Start at table.py.
"""
