"""How much an adapter doubts that a picture is of one of its classes, from 0 to 1.

Doubt is the share of validation images that lie nearer to the classes than the picture does. They
are of the classes, so where the picture is farther than nearly all of them it is of something else.
"""

LIMIT = 0.95
"""Doubt above which the answer is "none of these": it holds for one validation image in twenty."""
LEAST_IMAGES = 20
"""Validation images below which nothing is learned from them: 5 % of fewer are not one."""
STEPS = 21
"""Numbers by which a card tells how far validation images are: at 0, 5, ..., 100 %."""
