"""Channels that can go: who shares them, how they respond, the network without them, losses that make them die.

`axes` reads from the Keras graph which convolutions share channels; `responses` are what channels gave over photos; `cut`
says which to take out and takes them out; `figures` show what that costs; `sparsity` are losses for a network to be cut.
"""
