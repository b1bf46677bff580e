"""How much two numbers may differ and still be the same, a constant for each meaning."""

# of exact answers that were computed in different ways; relative, or of a number of the size of 1
ROUNDING = 1e-9
TIE = 1e-9  # of action values, relative to the largest: closer ones are equally good
SINGULAR = 1e-9  # of a singular value, relative to the largest or to 1: a smaller one is 0
SLACK = 1e-11  # of the optimum of a linear programme, between solutions that share it
SEEN = 1e-7  # relative, of a value that is said to be seen, from what the others imply
INDEPENDENCE = 1e-6  # of a probability, from what the independences of the graph imply
DIFFERENCE = 1e-6  # of two probabilities: a greater one shows that their laws are not the same
EMPTY = 1e-15  # of the whole of a table: a cell with a smaller share is empty
# of an interval of noise: a smaller part of it, which the rounding of its ends can explain, is
# nothing
SLIVER = 1e-6
NORMALISED = 1e-9  # of a sum of probabilities, from 1
OUTSIDE = 1e-12  # of a probability, from [0, 1]
