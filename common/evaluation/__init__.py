"""What results and networks are worth.

`similarity` tells how much of one photo another has kept; `pairs`, `methods` and `report` compare ways of style transfer,
the classical ones of `colour_transfer` among them; `network_quality` measures reconstruction and what a student explains.
`scores` are those of a result whose right answer is known.
"""
