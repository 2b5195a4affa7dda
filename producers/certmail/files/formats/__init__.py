"""The forms in which rows are written: CSV in its dialects and encodings, JSON, spreadsheets.

Start with `csv_file`, `json_file` or `sheet`, each of which reads one form.
"""
