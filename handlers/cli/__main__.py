from handlers.cli import app

app(prog_name="fanout")
