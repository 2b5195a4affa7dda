"""Operators: their accounts, and what is done with them."""
