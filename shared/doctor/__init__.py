"""What the rules in force need of Azure, held against what is there: pure functions, one module for each concern.

`ports` says what has to be looked up; handlers/doctor.py looks it up, and asks these.
"""
