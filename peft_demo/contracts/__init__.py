"""What the rooms say to each other: frozen values of the standard library, no tensors, no threads.

`knobs`          settings with ranges
`data_spec`      which images, and how they are read
`specs`          what to run, to import, to push
`events`         what happens in a run
`run_state`      where a run stands
`cards`          what exists, described
`adapter_card`   the card inside an adapter file
`errors`         what went wrong, in sentences
`progress`       how long work reports
`text`           how numbers and quotations are written
`window`         which brightness of deep pictures is shown
`service`        everything a page or a command line may ask
"""
