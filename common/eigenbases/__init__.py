"""PCA eigenbases of a teacher's features: what a student has to learn (paper, section 3.2).

`covariances` are taken over photos; `closed_form` finds the bases in one step, `gradient` by the paper's recipe; `file`
keeps them.
"""
