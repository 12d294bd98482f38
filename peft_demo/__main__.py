"""`python -m peft_demo` and `peft-demo`: the command line, with the page and with `bench`."""

from .app import serve
from .bench import commands
from .cli import app, main

app.command("app")(serve)
app.command("compare")(commands.compare)
app.add_typer(commands.bench, name="bench")

if __name__ == "__main__":
    main()
