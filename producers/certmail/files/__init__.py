"""Files of reminders as spreadsheets and programs write them: bytes → lines → records → reminders, and back again where rejected.

Read `source` first: it opens a file and tells what it is. `csv_file`, `json_file` and `sheet` read
one form each.
"""
