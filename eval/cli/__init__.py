"""The command line `dosuite`.

The modules of the commands are imported for `--help`, so they import heavy libraries, and the rest
of dosuite, only when a command is called.
"""
