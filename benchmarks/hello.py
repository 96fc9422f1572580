"""The smallest Typer program; `arcctl --help` is compared with it."""

import typer

app = typer.Typer()


@app.command()
def hello(name: str = "you") -> None:
    """Greet."""
    print(f"hello {name}")


if __name__ == "__main__":
    app()
