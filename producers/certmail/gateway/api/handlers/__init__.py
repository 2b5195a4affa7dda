"""What the API does, one module for each kind of thing; routes.py says which address leads where."""
