"""What the rooms say to each other: plain frozen values of the standard library, no tensors, no paths, no threads.

`knobs` settings with ranges · `specs` what to run · `events` what happened · `cards` what exists ·
`errors` what went wrong, in sentences · `service` everything a page or a command line may ask.
"""
