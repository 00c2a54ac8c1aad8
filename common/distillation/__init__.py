"""Training networks blockwise: losses by name, what `fit` trains, stages of a run, and the recipes for a student.

`losses` are what can be asked of a level; `trainer` sums them for `keras.Model.fit`; `stages` runs a number of steps, in
the coordinates of `whitening`, from the closed form of `least_squares`, with `callbacks`. `recipes` are the paper's way
and ours; `teachers` are what a student learns from.
"""
