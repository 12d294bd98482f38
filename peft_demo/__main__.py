"""`python -m peft_demo`: the command line, the comparisons of `bench` included."""

from .bench import commands
from .cli import app, main

app.command()(commands.compare)
app.add_typer(commands.bench, name="bench")

if __name__ == "__main__":
    main()
