"""The pages on which a tenant's brand and texts are written, looked at, published and tried out.

Start at `editing`: one page for the texts of a kind in a language, one for the brand; both are an
`EditedPart`. What is typed is put into what is published (`parts`), looked at as a worker would
write it (`editor`, `previews`), and published by the same code as everywhere (`changing`). Their
texts are Jinja templates as those of all pages; what a tenant writes never becomes one.
"""
