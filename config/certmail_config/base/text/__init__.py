"""How texts are written for people and their programs: cells of spreadsheets, hidden addresses."""
