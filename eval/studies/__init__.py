"""Studies: questions with a hypothesis and a criterion that are written before the runs.

A study is one file with a class that subclasses `Study`; `dosuite study` finds it. The criterion is
printed above the result, and its findings are kept whatever they are.
"""
