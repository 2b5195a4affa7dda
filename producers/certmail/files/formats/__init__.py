"""The forms in which rows are written: CSV in its dialects and encodings, JSON, spreadsheets."""
