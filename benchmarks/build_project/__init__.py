"""The Django application that `builds.py` builds."""
