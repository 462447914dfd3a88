"""A page of Flask with a template of Jinja's, the same for every server."""

from flask import Flask, render_template, request

app = Flask(__name__)


@app.route("/items")
def items():
    page = request.args.get("page", 1, type=int)
    rows = [{"number": number, "name": f"item <{number}>", "price": number * 1.25} for number in range(page * 20, page * 20 + 20)]
    return render_template("items.html", title="Items", items=rows, page=page)


@app.route("/items/<int:number>")
def item(number):
    return f"item {number}\n"
