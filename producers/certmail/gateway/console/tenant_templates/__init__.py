"""The pages on which a tenant's brand and texts are written, looked at, published and tried out.

Start at `editing`: one page for the texts of a kind in a language, one for the brand; both are an
`EditedPart`. What is typed is put into what is published (`parts`), looked at as a worker would
write it (`previews`), and published by the same code as everywhere.
"""
