"""The smallest Typer program: what `arcctl --help` is measured against."""

import typer

app = typer.Typer()


@app.command()
def hello(name: str = "you") -> None:
    """Greet."""
    print(f"hello {name}")


if __name__ == "__main__":
    app()
