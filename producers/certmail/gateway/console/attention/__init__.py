"""What needs a person: one page, section by section, and settling what nobody knows in bulk.

attention_page.py has the handlers; SECTIONS in attention_list.py is where another section is added.
"""
