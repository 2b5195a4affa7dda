"""What `certmail doctor` looks at, a module for each group of findings; none changes anything.

Each check gives its findings one by one, so that what was found before something broke is not lost;
diagnosis.py has their order.
"""
