"""How a variable one step earlier is named."""

LAG = "_tm1"  # the suffix of a variable one step earlier: "time minus 1"
