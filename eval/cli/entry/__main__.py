"""`python -m dosuite`: the command `dosuite`, where its script is not on the path."""

from dosuite.eval.cli.main import main

if __name__ == "__main__":
    main()
